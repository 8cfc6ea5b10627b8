/** NumPy's .npy: the bytes of a file as a tensor, and back. */
import { elementCount, type TensorLike } from '@statespace/ssd-core';
import {
  encodeNpy,
  type FileDType,
  fileFormats,
  type NpyContents,
  npyStrides,
  parseNpy,
  readNpyNumbers,
} from '@statespace/ssd-core/files';
import type { ArrayTensor } from './array-tensor.js';
import { type ForeignType, readNumbers } from './foreign-numbers.js';

export interface NpyOptions {
  /** Stands in messages, as the path of a file. */
  readonly name?: string;
}

const foreignTypes: Readonly<Record<Exclude<FileDType, 'BF16'>, ForeignType>> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  I64: 'int64',
  I32: 'int32',
  I16: 'int16',
  I8: 'int8',
  U8: 'uint8',
  BOOL: 'bool',
};

/**
 * The array in a .npy file, as `fs.readFile` gives it. Fortran order becomes strides. Little-endian numbers at a multiple
 * of their size (NumPy puts the first at a multiple of 64) stay where they are: the tensor then shares memory with `bytes`.
 * int64, int16 and int8 become int32, booleans uint8, complex numbers c64 or c128 with their pairs along a last axis of 2.
 *
 * @throws {FormatError} for what is no file of numbers. @throws {ArgumentError} for an int64 that int32 cannot hold.
 * @example
 * const u = fromNpy(await readFile('u.npy'), { name: 'u.npy' });
 */
export function fromNpy(bytes: Uint8Array, { name = 'bytes' }: NpyOptions = {}): ArrayTensor {
  const op = 'fromNpy';
  const contents = parseNpy(bytes, name, op);
  const { dtype, complex, fortranOrder } = contents;
  const real = foreignTypes[dtype as Exclude<FileDType, 'BF16'>];
  const type = complex ? (dtype === 'F32' ? 'complex64' : 'complex128') : real;
  const shape = complex ? [...contents.shape, 2] : [...contents.shape];
  const numbers = readNumbers(op, name, type, numbersOf(contents));
  return fortranOrder && elementCount(shape) > 0
    ? { ...numbers, shape, strides: npyStrides(contents) }
    : { ...numbers, shape };
}

/** The numbers in the order of the file; in its own memory where the processor can read them there. */
function numbersOf(contents: NpyContents): unknown {
  const { dtype, bigEndian, bytes } = contents;
  const { array, bytes: width } = fileFormats[dtype];
  if (bigEndian || bytes.byteOffset % width !== 0) return readNpyNumbers(contents);
  return new array(bytes.buffer, bytes.byteOffset, bytes.length / width);
}

/**
 * The bytes of a .npy file of a tensor of any strides: version 1.0, C order, little-endian.
 * @throws {DTypeError} for bf16, which NumPy lacks. @throws {ArgumentError | DisposedError | ShapeError} for memory that
 * does not hold the tensor.
 * @example
 * await writeFile('out.npy', toNpy(out));
 */
export function toNpy(tensor: TensorLike, { name = 'tensor' }: NpyOptions = {}): Uint8Array {
  return encodeNpy(tensor, name, 'toNpy');
}
