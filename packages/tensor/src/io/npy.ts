/**
 * NumPy's .npy: magic, version, header length, a Python dict with descr, fortran_order and shape, then the numbers.
 * Source: NEP 1 and numpy.lib.format. Versions 1 to 3, either memory order, little-endian.
 */
import { elementCount, FormatError, type TensorLike } from '@statespace/ssd-core';
import type { TensorOptions } from '../create.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { parseNpyHeader } from './npy-header.js';
import {
  bytesOf,
  describe,
  type FileDType,
  fileArray,
  fileArrayOf,
  fileFormats,
  gather,
  type RawTensor,
  toTensor,
} from './raw-tensor.js';
import { readBytes } from './read-file.js';
import { type WriteFileOptions, writeFileAtomic } from './write-file-atomic.js';

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

const dtypes: Readonly<Record<string, FileDType>> = {
  '<f8': 'F64',
  '<f4': 'F32',
  '<f2': 'F16',
  '<i8': 'I64',
  '<i4': 'I32',
  '<i2': 'I16',
  '|i1': 'I8',
  '|u1': 'U8',
  '|b1': 'BOOL',
};

/** Reads an array as a tensor; i8, i2 and i1 become i32, booleans u8. @throws {FormatError} @throws {IoError} */
export async function readNpy(path: string, options?: TensorOptions): Promise<Tensor> {
  return decodeNpy(await readBytes('readNpy', path), options, path);
}

/** Reads an array that is in memory; `name` stands in messages. @throws {FormatError} */
export function decodeNpy(bytes: Uint8Array, options?: TensorOptions, name = 'bytes'): Tensor {
  return toTensor('readNpy', name, decodeRawNpy(bytes, name), options);
}

/** The array as it stands in the file, row-major. @throws {FormatError} */
export function decodeRawNpy(bytes: Uint8Array, name = 'bytes'): RawTensor {
  const op = 'readNpy';
  const { start, header } = splitHeader(op, name, bytes);
  const { descr, fortranOrder, shape } = parseNpyHeader(op, name, header);
  const dtype = dtypes[descr];
  if (dtype === undefined) {
    throw new FormatError({
      op,
      argument: name,
      wanted: `descr of ${Object.keys(dtypes).join(' ')}`,
      got: descr,
    });
  }
  const wanted = elementCount(shape) * fileFormats[dtype].bytes;
  if (bytes.length - start !== wanted) {
    throw new FormatError({
      op,
      argument: name,
      wanted: `${wanted} bytes of data`,
      got: `${bytes.length - start}`,
      ...(bytes.length - start < wanted ? { hint: 'The file is truncated: copy it again' } : {}),
    });
  }
  const data = fileArray(dtype, bytes.subarray(start));
  return { dtype, shape, data: fortranOrder ? rowMajor(data, shape) : data };
}

function rowMajor(data: RawTensor['data'], shape: Shape): RawTensor['data'] {
  const strides: number[] = [];
  let step = 1;
  for (const size of shape) {
    strides.push(step);
    step *= size;
  }
  return gather(data, shape, strides, 0);
}

function splitHeader(op: string, name: string, bytes: Uint8Array): { start: number; header: string } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 10 || magic.some((byte, i) => bytes[i] !== byte)) {
    throw new FormatError({
      op,
      argument: name,
      wanted: 'a file that starts with \\x93NUMPY',
      got: 'other bytes',
    });
  }
  const [major, minor] = [bytes[6] as number, bytes[7] as number];
  if (major < 1 || major > 3 || minor !== 0) {
    throw new FormatError({
      op,
      argument: name,
      wanted: 'version 1.0, 2.0 or 3.0',
      got: `${major}.${minor}`,
    });
  }
  const lengthBytes = major === 1 ? 2 : 4;
  const headerStart = 8 + lengthBytes;
  const length =
    bytes.length < headerStart ? Number.NaN : major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const start = headerStart + length;
  if (!(start <= bytes.length)) {
    throw new FormatError({
      op,
      argument: name,
      wanted: `a header of ${length} bytes`,
      got: `a file of ${bytes.length}`,
      hint: 'The file is truncated: copy it again',
    });
  }
  try {
    // Version 3 is UTF-8, earlier ones Latin-1.
    const decoder = new TextDecoder(major === 3 ? 'utf-8' : 'latin1', { fatal: true });
    return { start, header: decoder.decode(bytes.subarray(headerStart, start)) };
  } catch (cause) {
    throw new FormatError({ op, argument: name, wanted: 'a header in UTF-8', got: 'other bytes', cause });
  }
}

/** Writes an array atomically, version 1.0, C order. @throws {IoError} @throws {DTypeError} */
export async function writeNpy(
  path: string,
  value: TensorLike | RawTensor,
  options: WriteFileOptions = {},
): Promise<void> {
  await writeFileAtomic(path, encodeNpy(value), options);
}

/** The bytes of a file in memory. @throws {DTypeError} for bf16 and complex formats. */
export function encodeNpy(value: TensorLike | RawTensor, name = 'tensor'): Uint8Array {
  const op = 'writeNpy';
  const { dtype, shape } = describe(op, name, value);
  const descr = Object.keys(dtypes).find((key) => dtypes[key] === dtype);
  if (descr === undefined) {
    throw new FormatError({
      op,
      argument: name,
      wanted: 'a format that NumPy has',
      got: dtype,
      hint: "Use cast('f32')",
    });
  }
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${tuple}), }`;
  // NumPy pads the header with spaces so that the numbers start at a multiple of 64.
  const padded = Math.ceil((10 + dict.length + 1) / 64) * 64 - 10;
  const header = `${dict.padEnd(padded - 1)}\n`;
  const prefix = new Uint8Array(10);
  prefix.set(magic);
  prefix[6] = 1;
  new DataView(prefix.buffer).setUint16(8, header.length, true);
  return Buffer.concat([prefix, Buffer.from(header, 'latin1'), bytesOf(fileArrayOf(op, name, value))]);
}
