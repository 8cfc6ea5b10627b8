/** Reads the head of a shared library, as some systems do not: loading half a file ends the process. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** What a shared library is for, such as `linux-x64`, by its first bytes; undefined for anything else. */
export function targetOf(head: Buffer): string | undefined {
  if (head.length < 64) return undefined;
  const magic = head.subarray(0, 4).toString('latin1');
  if (magic === '\x7fELF') return { 62: 'linux-x64', 183: 'linux-arm64' }[head.readUInt16LE(18)];
  if (magic === '\xcf\xfa\xed\xfe') {
    return { 16777223: 'darwin-x64', 16777228: 'darwin-arm64' }[head.readUInt32LE(4)];
  }
  if (!magic.startsWith('MZ')) return undefined;
  const header = head.readUInt32LE(0x3c);
  if (header + 6 > head.length) return undefined;
  return { 34404: 'win32-x64', 43620: 'win32-arm64' }[head.readUInt16LE(header + 4)];
}

/**
 * Bytes that an ELF file must have: to the end of its segments and of its section headers, which stand last.
 * The C library maps what the segments say and meets the end of the file as SIGBUS; macOS and Windows look first.
 */
export function elfSize(head: Buffer): number {
  const headers = (offset: number, size: number, count: number) =>
    Number(head.readBigUInt64LE(offset)) + head.readUInt16LE(size) * head.readUInt16LE(count);
  let end = Math.max(headers(0x20, 0x36, 0x38), headers(0x28, 0x3a, 0x3c));
  const first = Number(head.readBigUInt64LE(0x20));
  for (let i = 0; i < head.readUInt16LE(0x38); i++) {
    const at = first + i * head.readUInt16LE(0x36);
    if (at + 56 > head.length) break;
    end = Math.max(end, Number(head.readBigUInt64LE(at + 8)) + Number(head.readBigUInt64LE(at + 32)));
  }
  return end;
}

/** Why a file is not taken; `builtFor` is there when it is whole, for another platform. */
export interface AddonFileProblem {
  readonly error: string;
  readonly builtFor?: string;
}

/** Why `path` cannot be an addon for `target`, such as `linux-x64`; undefined when its head speaks for it. */
export function addonFileProblem(
  path: string,
  target = `${process.platform}-${process.arch}`,
): AddonFileProblem | undefined {
  const head = Buffer.alloc(4096);
  const file = openSync(path, 'r');
  let size: number;
  let read: number;
  try {
    size = fstatSync(file).size;
    read = readSync(file, head, 0, head.length, 0);
  } finally {
    closeSync(file);
  }
  const bytes = head.subarray(0, read);
  const found = targetOf(bytes);
  if (found === undefined) return { error: `damaged: its ${size} bytes are no shared library` };
  if (found !== target) return { error: `built for ${found}, and this is ${target}`, builtFor: found };
  const wanted = found.startsWith('linux-') ? elfSize(bytes) : 0;
  return size < wanted ? { error: `damaged: ${size} bytes of ${wanted}` } : undefined;
}
