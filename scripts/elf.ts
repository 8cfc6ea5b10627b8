/**
 * What a 64-bit little-endian ELF file asks of the system and gives to others.
 * Source: System V ABI, chapters 4 and 5; Linux Standard Base 5.0, section 10.7 (symbol versions).
 */
import { readFileSync } from 'node:fs';

/** A symbol that must come from elsewhere. */
export interface NeededSymbol {
  readonly name: string;
  /** `GLIBC_2.17` and the like; undefined where any version will do. */
  readonly version: string | undefined;
}

/** The dynamic linking of one file. */
export interface ElfDynamics {
  /** Processor: 62 is x86-64, 183 is AArch64. */
  readonly machine: number;
  readonly needed: readonly NeededSymbol[];
  /** Names of defined global symbols. */
  readonly exported: readonly string[];
}

const sectionTypes = { dynsym: 11, verneed: 0x6ffffffe, versym: 0x6fffffff } as const;

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  /** Index of the section with the names. */
  readonly link: number;
}

/** @throws {Error} for a file that is no 64-bit little-endian ELF file with section headers. */
export function readElf(path: string): ElfDynamics {
  const file = readFileSync(path);
  if (file.length < 64 || file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1) {
    throw new Error(`${path} is no 64-bit little-endian ELF file`);
  }
  const sections = readSections(file);
  const symbols = sections.find(({ type }) => type === sectionTypes.dynsym);
  if (symbols === undefined) throw new Error(`${path} has no dynamic symbols`);
  const versionOf = readVersions(file, sections);
  const names = (sections[symbols.link] as Section).offset;

  const needed: NeededSymbol[] = [];
  const exported: string[] = [];
  // Elf64_Sym: name u32, info u8, other u8, section u16, value u64, size u64. The first is a placeholder.
  for (let index = 1; index < symbols.size / 24; ++index) {
    const at = symbols.offset + index * 24;
    const name = text(file, names + file.readUInt32LE(at));
    if (file.readUInt16LE(at + 6) === 0) needed.push({ name, version: versionOf(index) });
    else if ((file[at + 4] as number) >> 4 !== 0) exported.push(name);
  }
  return { machine: file.readUInt16LE(18), needed, exported };
}

function readSections(file: Buffer): Section[] {
  const start = Number(file.readBigUInt64LE(40));
  const [entrySize, count] = [file.readUInt16LE(58), file.readUInt16LE(60)];
  return Array.from({ length: count }, (_, i) => {
    const at = start + i * entrySize;
    return {
      type: file.readUInt32LE(at + 4),
      offset: Number(file.readBigUInt64LE(at + 24)),
      size: Number(file.readBigUInt64LE(at + 32)),
      link: file.readUInt32LE(at + 40),
    };
  });
}

/** Version of symbol i, from the list of indices (versym) and the names that the needed libraries have for them. */
function readVersions(file: Buffer, sections: readonly Section[]): (symbol: number) => string | undefined {
  const names = new Map<number, string>();
  const need = sections.find(({ type }) => type === sectionTypes.verneed);
  if (need !== undefined) {
    const strings = (sections[need.link] as Section).offset;
    // Elf64_Verneed: version u16, count u16, file u32, aux u32, next u32; then its Elf64_Vernaux:
    // hash u32, flags u16, index u16, name u32, next u32.
    for (let library = need.offset, more = true; more; ) {
      let entry = library + file.readUInt32LE(library + 8);
      for (let left = file.readUInt16LE(library + 2); left > 0; --left) {
        names.set(file.readUInt16LE(entry + 6) & 0x7fff, text(file, strings + file.readUInt32LE(entry + 8)));
        entry += file.readUInt32LE(entry + 12);
      }
      const next = file.readUInt32LE(library + 12);
      more = next !== 0;
      library += next;
    }
  }
  const indices = sections.find(({ type }) => type === sectionTypes.versym);
  return (symbol) =>
    indices === undefined ? undefined : names.get(file.readUInt16LE(indices.offset + 2 * symbol) & 0x7fff);
}

function text(file: Buffer, start: number): string {
  return file.toString('latin1', start, file.indexOf(0, start));
}

/** Highest version of each family (`GLIBC`, `GLIBCXX`, `CXXABI`, `GCC`, ...) among `symbols`. */
export function highestVersions(symbols: readonly NeededSymbol[]): Map<string, string> {
  const highest = new Map<string, string>();
  for (const { version } of symbols) {
    const [, family, number] = /^([A-Z]+)_([\d.]+)$/.exec(version ?? '') ?? [];
    if (family === undefined || number === undefined) continue;
    const known = highest.get(family);
    if (known === undefined || isNewer(number, known)) highest.set(family, number);
  }
  return highest;
}

/** Those of `symbols` that a system with no more than `limits` lacks, as `name@FAMILY_version`. */
export function beyond(symbols: readonly NeededSymbol[], limits: ReadonlyMap<string, string>): string[] {
  return symbols.flatMap(({ name, version }) => {
    if (version === undefined) return [];
    const [, family, number] = /^([A-Z]+)_([\d.]+)$/.exec(version) ?? [];
    const limit = family === undefined ? undefined : limits.get(family);
    return number === undefined || limit === undefined || isNewer(number, limit)
      ? [`${name}@${version}`]
      : [];
  });
}

function isNewer(a: string, b: string): boolean {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
  for (let i = 0; i < Math.max(left.length, right.length); ++i) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
