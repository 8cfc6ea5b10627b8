/** Before a platform package is packed: refuses one without its binary, or with that of another platform. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const { name, os, cpu } = JSON.parse(readFileSync('package.json', 'utf8'));
const wanted = `${os[0]}-${cpu[0]}`;

function fail(message) {
  process.stderr.write(`${name}: ${message}\n`);
  process.exit(1);
}

/** What a binary is for, by its first bytes; undefined for anything else. */
export function platformOf(bytes) {
  const magic = bytes.subarray(0, 4).toString('latin1');
  if (magic === '\x7fELF') return { 62: 'linux-x64', 183: 'linux-arm64' }[bytes.readUInt16LE(18)];
  if (magic === '\xcf\xfa\xed\xfe')
    return { 16777223: 'darwin-x64', 16777228: 'darwin-arm64' }[bytes.readUInt32LE(4)];
  if (!magic.startsWith('MZ')) return undefined;
  const header = bytes.readUInt32LE(0x3c);
  return { 34404: 'win32-x64', 43620: 'win32-arm64' }[bytes.readUInt16LE(header + 4)];
}

let bytes;
try {
  bytes = readFileSync(join(process.cwd(), 'statespace.node'));
} catch {
  fail(
    'statespace.node is not there. Build it on that platform (pnpm build:native); a package without it is not published.',
  );
}
const found = bytes.length < 4096 ? undefined : platformOf(bytes);
if (found !== wanted) fail(`statespace.node is for ${found ?? 'no platform'}, the package is for ${wanted}.`);
