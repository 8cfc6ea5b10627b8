/**
 * The header of a safetensors file: 8 bytes little-endian length, then JSON
 *   {"__metadata__": {string: string}, name: {"dtype", "shape", "data_offsets": [begin, end]}, ...}
 * whose offsets count from the end of the header and cover the rest of the file without gap or overlap.
 * Source: the format's own description, github.com/huggingface/safetensors.
 */
import { elementCount, FormatError } from '@statespace/ssd-core';
import { type FileDType, fileFormats } from '@statespace/ssd-core/files';
import type { Shape } from '../shape.js';
import { findDuplicateKey } from './json-keys.js';

export interface SafetensorsEntry {
  readonly dtype: FileDType;
  readonly shape: Shape;
  /** First byte, and the one after the last, counted from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly entries: ReadonlyMap<string, SafetensorsEntry>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The limit of the reference implementation. */
export const maxHeaderBytes = 100_000_000;

/** Length of the header, from the first 8 bytes. @throws {FormatError} */
export function headerLength(op: string, file: string, prefix: Uint8Array, fileBytes: number): number {
  if (fileBytes < 8 || prefix.length < 8) {
    throw damaged(op, file, 'at least 8 bytes', `${fileBytes}`);
  }
  const length = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes)) {
    throw damaged(op, file, `a header of at most ${maxHeaderBytes} bytes`, `${length}`);
  }
  if (length < 2n || Number(length) > fileBytes - 8) {
    throw damaged(op, file, `a header of 2 to ${fileBytes - 8} bytes`, `${length}`);
  }
  return Number(length);
}

/** Reads and checks a header for a file with `dataBytes` behind it. @throws {FormatError} */
export function parseHeader(
  op: string,
  file: string,
  bytes: Uint8Array,
  dataBytes: number,
): SafetensorsHeader {
  const object = parseObject(op, file, bytes);
  let metadata: Record<string, string> = {};
  const entries = new Map<string, SafetensorsEntry>();
  for (const [name, value] of Object.entries(object)) {
    if (name === '__metadata__') metadata = checkMetadata(op, file, value);
    else entries.set(name, checkEntry(op, `${file}: ${name}`, value));
  }
  checkLayout(op, file, entries, dataBytes);
  return { entries, metadata };
}

function parseObject(op: string, file: string, bytes: Uint8Array): Record<string, unknown> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw damaged(op, file, 'a header in UTF-8', 'other bytes', cause);
  }
  if (!text.startsWith('{'))
    throw damaged(op, file, "a header that starts with '{'", JSON.stringify(text[0]));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw damaged(op, file, 'a header in JSON', (cause as Error).message, cause);
  }
  const twice = findDuplicateKey(text);
  if (twice !== undefined) throw damaged(op, file, 'each key once', `${JSON.stringify(twice)} twice`);
  return value as Record<string, unknown>;
}

function checkMetadata(op: string, file: string, value: unknown): Record<string, string> {
  const valid = isObject(value) && Object.values(value).every((item) => typeof item === 'string');
  if (!valid) throw damaged(op, file, '__metadata__ that maps strings to strings', JSON.stringify(value));
  return value as Record<string, string>;
}

function checkEntry(op: string, at: string, value: unknown): SafetensorsEntry {
  const keys = isObject(value) ? Object.keys(value).sort().join(', ') : JSON.stringify(value);
  if (keys !== 'data_offsets, dtype, shape') throw damaged(op, at, 'data_offsets, dtype, shape', keys);
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  if (typeof dtype !== 'string' || !Object.hasOwn(fileFormats, dtype)) {
    throw damaged(op, at, `a dtype of ${Object.keys(fileFormats).join(', ')}`, JSON.stringify(dtype));
  }
  if (!isSizes(shape)) throw damaged(op, at, 'a shape of whole sizes', JSON.stringify(shape));
  if (!isSizes(offsets) || offsets.length !== 2) {
    throw damaged(op, at, 'data_offsets [begin, end]', JSON.stringify(offsets));
  }
  const [begin, end] = offsets as [number, number];
  const bytes = elementCount(shape) * fileFormats[dtype as FileDType].bytes;
  if (end - begin !== bytes) {
    throw damaged(op, at, `${bytes} bytes for ${dtype} (${shape.join(', ')})`, `${end - begin}`);
  }
  return { dtype: dtype as FileDType, shape, begin, end };
}

/** Tensors must lie one behind the other and fill the file: a hole could hide data, an overlap is corruption. */
function checkLayout(
  op: string,
  file: string,
  entries: ReadonlyMap<string, SafetensorsEntry>,
  dataBytes: number,
): void {
  const order = [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let position = 0;
  for (const [name, { begin, end }] of order) {
    if (begin !== position) {
      const fault = begin < position ? 'overlaps the tensor before it' : 'leaves a hole before it';
      throw damaged(op, `${file}: ${name}`, `data from byte ${position}`, `${begin}, which ${fault}`);
    }
    position = end;
  }
  if (position !== dataBytes) {
    const hint = position > dataBytes ? 'The file is truncated: copy or download it again' : undefined;
    throw damaged(op, file, `${position} bytes of data`, `${dataBytes}`, undefined, hint);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function damaged(
  op: string,
  argument: string,
  wanted: string,
  got: string | undefined,
  cause?: unknown,
  hint?: string,
): FormatError {
  return new FormatError({ op, argument, wanted, got, cause, hint });
}
