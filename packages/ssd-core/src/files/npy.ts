/**
 * NumPy's .npy in memory: magic, version, header length, a Python dict with descr, fortran_order and shape, then the
 * numbers. Source: NEP 1 and numpy.lib.format. Versions 1 to 3, either memory order and either byte order.
 */
import { ArgumentError, DTypeError, FormatError, ShapeError } from '../errors.js';
import { checkView } from '../tensor-checks.js';
import {
  contiguousStrides,
  elementCount,
  formatShape,
  type TensorLike,
  tensorDType,
} from '../tensor-like.js';
import { parseNpyHeader } from './npy-header.js';
import {
  bytesOf,
  checkRaw,
  describe,
  type FileArray,
  type FileDType,
  fileArray,
  fileArrayOf,
  fileFormats,
  isRaw,
  type RawTensor,
} from './raw-tensor.js';

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** NumPy's own limit; a header of more axes could outgrow version 1.0. */
const maxRank = 64;

interface NpyFormat {
  readonly dtype: FileDType;
  /** Each entry is a (re, im) pair of `dtype`. */
  readonly complex?: boolean;
}

/** What stands behind the byte order in descr. */
const formats: Readonly<Record<string, NpyFormat>> = {
  f8: { dtype: 'F64' },
  f4: { dtype: 'F32' },
  f2: { dtype: 'F16' },
  i8: { dtype: 'I64' },
  i4: { dtype: 'I32' },
  i2: { dtype: 'I16' },
  i1: { dtype: 'I8' },
  u1: { dtype: 'U8' },
  b1: { dtype: 'BOOL' },
  c8: { dtype: 'F32', complex: true },
  c16: { dtype: 'F64', complex: true },
};

/** A file taken apart, its numbers not yet read. */
export interface NpyContents {
  /** Format of the numbers; complex ones are pairs of them. */
  readonly dtype: FileDType;
  readonly complex: boolean;
  readonly bigEndian: boolean;
  /** First axis fastest in memory, instead of the last one. */
  readonly fortranOrder: boolean;
  /** As NumPy shows it: pairs of complex numbers have no axis in it. */
  readonly shape: readonly number[];
  /** The numbers; a part of the file's bytes. */
  readonly bytes: Uint8Array;
}

/**
 * Reads and checks the header; `name` stands in messages.
 * @throws {FormatError} for what is no array of numbers, or has another length than its header tells.
 */
export function parseNpy(bytes: Uint8Array, name = 'bytes', op = 'readNpy'): NpyContents {
  const { start, header } = splitHeader(op, name, bytes);
  const { descr, fortranOrder, shape } = parseNpyHeader(op, name, header);
  const known = /^[<>|]/.test(descr) && Object.hasOwn(formats, descr.slice(1));
  const format = known ? formats[descr.slice(1)] : undefined;
  const single = format !== undefined && fileFormats[format.dtype].bytes === 1;
  if (format === undefined || single !== descr.startsWith('|')) {
    throw new FormatError({
      op,
      argument: name,
      wanted: `descr of ${Object.keys(formats).join(' ')}, with < or > before numbers of several bytes`,
      got: descr,
    });
  }
  const { dtype, complex = false } = format;
  const wanted = elementCount(shape) * fileFormats[dtype].bytes * (complex ? 2 : 1);
  if (bytes.length - start !== wanted) {
    throw new FormatError({
      op,
      argument: name,
      wanted: `${wanted} bytes of data`,
      got: `${bytes.length - start}`,
      ...(bytes.length - start < wanted ? { hint: 'The file is truncated: copy it again' } : {}),
    });
  }
  const bigEndian = descr.startsWith('>');
  return { dtype, complex, bigEndian, fortranOrder, shape, bytes: bytes.subarray(start) };
}

/** The numbers in the order of the file, in memory of their own. */
export function readNpyNumbers({ dtype, bigEndian, bytes }: NpyContents): FileArray {
  const data = fileArray(dtype, bytes);
  if (bigEndian) swapBytes(bytesOf(data), data.BYTES_PER_ELEMENT);
  return data;
}

function swapBytes(bytes: Uint8Array, width: number): void {
  for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
}

/**
 * The array as it stands in the file, row-major, in memory of its own; complex numbers as pairs along a last axis of 2.
 * @throws {FormatError}
 */
export function decodeRawNpy(bytes: Uint8Array, name = 'bytes'): RawTensor {
  const contents = parseNpy(bytes, name);
  const { dtype, complex, fortranOrder } = contents;
  const numbers = readNpyNumbers(contents);
  const shape = complex ? [...contents.shape, 2] : contents.shape;
  return { dtype, shape, data: fortranOrder ? gather(numbers, shape, npyStrides(contents)) : numbers };
}

/** Numbers between neighbours along each axis, the axis of complex pairs last. */
export function npyStrides({ shape, complex, fortranOrder }: NpyContents): number[] {
  if (!fortranOrder) return contiguousStrides(complex ? [...shape, 2] : shape);
  let step = complex ? 2 : 1;
  const strides: number[] = [];
  for (const size of shape) {
    strides.push(step);
    step *= size;
  }
  return complex ? [...strides, 1] : strides;
}

/** The numbers of a strided view in row-major order. */
function gather(data: FileArray, shape: readonly number[], strides: readonly number[]): FileArray {
  const result = data.slice();
  const index = new Array<number>(shape.length).fill(0);
  for (let i = 0, at = 0; i < result.length; i++) {
    result[i] = data[at] as never;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const stride = strides[axis] as number;
      index[axis] = (index[axis] as number) + 1;
      at += stride;
      if ((index[axis] as number) < (shape[axis] as number)) break;
      at -= stride * (shape[axis] as number);
      index[axis] = 0;
    }
  }
  return result;
}

function splitHeader(op: string, name: string, bytes: Uint8Array): { start: number; header: string } {
  if (!(bytes instanceof Uint8Array)) {
    throw new ArgumentError({ op, argument: name, wanted: 'a Uint8Array', got: typeof bytes });
  }
  if (bytes.length < 10 || magic.some((byte, i) => bytes[i] !== byte)) {
    throw new FormatError({
      op,
      argument: name,
      wanted: 'a file that starts with \\x93NUMPY',
      got: 'other bytes',
    });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
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
    // Version 3 is UTF-8, earlier ones Latin-1. Decoders refuse shared memory, hence the copy of the header.
    const decoder = new TextDecoder(major === 3 ? 'utf-8' : 'latin1', { fatal: true });
    return { start, header: decoder.decode(new Uint8Array(bytes.subarray(headerStart, start))) };
  } catch (cause) {
    throw new FormatError({ op, argument: name, wanted: 'a header in UTF-8', got: 'other bytes', cause });
  }
}

/**
 * The bytes of a file, version 1.0, C order, little-endian. A c64 or c128 tensor, with its pairs along a last axis of 2,
 * becomes an array of complex numbers.
 * @throws {DTypeError} for bf16, which NumPy lacks. @throws {ArgumentError | DisposedError | ShapeError} for memory that
 * does not hold the tensor.
 */
export function encodeNpy(value: TensorLike | RawTensor, name = 'tensor', op = 'writeNpy'): Uint8Array {
  if (isRaw(value)) checkRaw(op, name, value);
  else checkView(op, name, value);
  const tag = isRaw(value) ? undefined : tensorDType(value);
  const complex = tag === 'c64' || tag === 'c128';
  const numbers = complex ? ({ ...value, dtype: tag === 'c64' ? 'f32' : 'f64' } as TensorLike) : value;
  if (complex && value.shape.at(-1) !== 2) {
    throw new ShapeError({
      op,
      argument: name,
      wanted: 'pairs along a last axis of 2',
      got: formatShape(value.shape),
    });
  }
  if (value.shape.length > maxRank) {
    throw new ShapeError({
      op,
      argument: name,
      wanted: `at most ${maxRank} axes, as NumPy`,
      got: `${value.shape.length}`,
    });
  }
  const { dtype } = describe(op, name, numbers);
  const shape = complex ? value.shape.slice(0, -1) : value.shape;
  const data = fileArrayOf(op, name, numbers);
  const header = headerOf(descrOf(op, name, dtype, complex), shape);
  const bytes = new Uint8Array(header.length + data.byteLength);
  bytes.set(header);
  bytes.set(bytesOf(data), header.length);
  return bytes;
}

function descrOf(op: string, name: string, dtype: FileDType, complex: boolean): string {
  const known = Object.entries(formats).find(
    ([, format]) => format.dtype === dtype && (format.complex ?? false) === complex,
  );
  if (known !== undefined) return `${fileFormats[dtype].bytes === 1 ? '|' : '<'}${known[0]}`;
  throw new DTypeError({
    op,
    argument: name,
    wanted: 'a format that NumPy has',
    got: dtype,
    hint: "Convert it to f32 first, a Tensor by cast('f32')",
  });
}

/** NumPy pads the header with spaces so that the numbers start at a multiple of 64. */
function headerOf(descr: string, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${tuple}), }`;
  const padded = Math.ceil((10 + dict.length + 1) / 64) * 64 - 10;
  const header = new Uint8Array(10 + padded);
  header.set(magic);
  header[6] = 1;
  new DataView(header.buffer).setUint16(8, padded, true);
  header.set(new TextEncoder().encode(`${dict.padEnd(padded - 1)}\n`), 10);
  return header;
}
