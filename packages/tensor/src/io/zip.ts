/**
 * ZIP archives as far as .npz needs them: entries stored or deflated, below 4 GiB, neither encrypted nor split.
 * Source: PKWARE's APPNOTE.TXT, sections 4.3 and 4.4.
 */
import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import { FormatError } from '@statespace/ssd-core';

export interface ZipEntry {
  readonly name: string;
  readonly data: Uint8Array;
}

const signatures = { local: 0x04034b50, central: 0x02014b50, end: 0x06054b50 } as const;
/** 1980-01-01, the zero of the format's clock, so that equal contents give equal bytes. */
const dosDate = 0x0021;
const utf8Names = 0x0800;

/** Reads and checks every entry. @throws {FormatError} */
export function readZip(op: string, file: string, bytes: Uint8Array): ZipEntry[] {
  const fail = (wanted: string, got: string, cause?: unknown): never => {
    throw new FormatError({ op, argument: file, wanted, got, cause });
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(view);
  if (end === undefined) return fail('a ZIP archive', 'a file without an end record, perhaps truncated');
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (count === 0xffff || at === 0xffffffff) return fail('an archive below 4 GiB', 'ZIP64');
  const entries: ZipEntry[] = [];
  const names = new Set<string>();
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || view.getUint32(at, true) !== signatures.central) {
      return fail(`a directory of ${count} entries`, `damage at entry ${i}`);
    }
    const nameLength = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    if (names.has(name)) return fail('each name once', `${name} twice`);
    names.add(name);
    const place = {
      name,
      flags: view.getUint16(at + 8, true),
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packedBytes: view.getUint32(at + 20, true),
      bytes: view.getUint32(at + 24, true),
      start: view.getUint32(at + 42, true),
    };
    entries.push({ name, data: unpack(view, bytes, place, fail) });
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return entries;
}

interface Place {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly start: number;
}

function unpack(
  view: DataView,
  bytes: Uint8Array,
  place: Place,
  fail: (wanted: string, got: string, cause?: unknown) => never,
): Uint8Array {
  const { name, start } = place;
  if ((place.flags & 1) !== 0) return fail('entries without encryption', `${name} encrypted`);
  if (start + 30 > bytes.length || view.getUint32(start, true) !== signatures.local) {
    return fail(`the data of ${name} at byte ${start}`, 'something else');
  }
  // Sizes come from the directory: the local header may leave them out, but its name and extra field count.
  const from = start + 30 + view.getUint16(start + 26, true) + view.getUint16(start + 28, true);
  const packed = bytes.subarray(from, from + place.packedBytes);
  if (packed.length !== place.packedBytes)
    return fail(`${place.packedBytes} bytes of ${name}`, `${packed.length}`);
  let data: Uint8Array;
  if (place.method === 0) data = packed;
  else if (place.method === 8) {
    try {
      // The limit keeps a small damaged entry from filling the memory.
      data = inflateRawSync(packed, { maxOutputLength: Math.max(1, place.bytes) });
    } catch (cause) {
      return fail(`${place.bytes} bytes of ${name}`, 'data that cannot be inflated', cause);
    }
  } else return fail('entries stored or deflated', `method ${place.method} in ${name}`);
  if (data.length !== place.bytes) return fail(`${place.bytes} bytes of ${name}`, `${data.length}`);
  if (crc32(data) !== place.crc)
    return fail(`${name} with its checksum`, 'a different one: the file is damaged');
  return data;
}

/** The end record stands last, before a comment of at most 65,535 bytes. */
function findEnd(view: DataView): number | undefined {
  const first = Math.max(0, view.byteLength - 22 - 0xffff);
  for (let at = view.byteLength - 22; at >= first; at--) {
    if (view.getUint32(at, true) !== signatures.end) continue;
    if (view.getUint16(at + 20, true) === view.byteLength - at - 22) return at;
  }
  return undefined;
}

/** The bytes of an archive. */
export function writeZip(entries: readonly ZipEntry[], compress: boolean): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let position = 0;
  for (const { name, data } of entries) {
    const encodedName = new TextEncoder().encode(name);
    const packed = compress ? deflateRawSync(data) : data;
    const fields = commonFields(
      compress ? 8 : 0,
      crc32(data),
      packed.length,
      data.length,
      encodedName.length,
    );
    const local = new Uint8Array(30);
    new DataView(local.buffer).setUint32(0, signatures.local, true);
    local.set(fields, 4);
    parts.push(local, encodedName, packed);
    const central = new Uint8Array(46);
    const view = new DataView(central.buffer);
    view.setUint32(0, signatures.central, true);
    view.setUint16(4, 20, true);
    central.set(fields, 6);
    view.setUint32(42, position, true);
    directory.push(central, encodedName);
    position += 30 + encodedName.length + packed.length;
  }
  const directoryBytes = directory.reduce((total, part) => total + part.length, 0);
  const end = new Uint8Array(22);
  const view = new DataView(end.buffer);
  view.setUint32(0, signatures.end, true);
  view.setUint16(8, entries.length, true);
  view.setUint16(10, entries.length, true);
  view.setUint32(12, directoryBytes, true);
  view.setUint32(16, position, true);
  return Buffer.concat([...parts, ...directory, end]);
}

/** The 26 bytes that local header and directory share, from "version needed" to the length of the extra field. */
function commonFields(
  method: number,
  crc: number,
  packed: number,
  bytes: number,
  nameLength: number,
): Uint8Array {
  const out = new Uint8Array(26);
  const view = new DataView(out.buffer);
  view.setUint16(0, 20, true);
  view.setUint16(2, utf8Names, true);
  view.setUint16(4, method, true);
  view.setUint16(8, dosDate, true);
  view.setUint32(10, crc, true);
  view.setUint32(14, packed, true);
  view.setUint32(18, bytes, true);
  view.setUint16(22, nameLength, true);
  return out;
}
