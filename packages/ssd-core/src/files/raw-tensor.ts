/** Tensors as files hold them: row-major, in number formats that kernels lack too. */
import { bytesPerElement, type DType } from '../dtype.js';
import { DTypeError, ShapeError } from '../errors.js';
import { rowMajorArray } from '../reference/views.js';
import { elementCount, formatShape, type TensorLike, tensorDType } from '../tensor-like.js';

/** Number formats of files, by their safetensors names. */
export type FileDType = 'F64' | 'F32' | 'F16' | 'BF16' | 'I64' | 'I32' | 'I16' | 'I8' | 'U8' | 'BOOL';

export type FileArray =
  | Float64Array
  | Float32Array
  | Uint16Array
  | BigInt64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint8Array;

/** A row-major array as it stands in a file. F16 and BF16 are raw bits, BOOL is bytes of 0 and 1. */
export interface RawTensor {
  readonly dtype: FileDType;
  readonly shape: readonly number[];
  readonly data: FileArray;
}

interface FileFormat {
  readonly bytes: number;
  readonly array: new (buffer: ArrayBufferLike, byteOffset?: number, length?: number) => FileArray;
  /** Format of the tensor that these numbers become. */
  readonly tensor: DType;
}

/** In the order in which the safetensors library lays tensors out, widest alignment first. */
export const fileFormats: Readonly<Record<FileDType, FileFormat>> = {
  I64: { bytes: 8, array: BigInt64Array, tensor: 'i32' },
  F64: { bytes: 8, array: Float64Array, tensor: 'f64' },
  F32: { bytes: 4, array: Float32Array, tensor: 'f32' },
  I32: { bytes: 4, array: Int32Array, tensor: 'i32' },
  BF16: { bytes: 2, array: Uint16Array, tensor: 'bf16' },
  F16: { bytes: 2, array: Uint16Array, tensor: 'f16' },
  I16: { bytes: 2, array: Int16Array, tensor: 'i32' },
  I8: { bytes: 1, array: Int8Array, tensor: 'i32' },
  U8: { bytes: 1, array: Uint8Array, tensor: 'u8' },
  BOOL: { bytes: 1, array: Uint8Array, tensor: 'u8' },
};

const fileDTypes: Partial<Record<DType, FileDType>> = {
  f64: 'F64',
  f32: 'F32',
  f16: 'F16',
  bf16: 'BF16',
  i32: 'I32',
  u8: 'U8',
};

/** Bytes of a file, copied to memory of their own, as the array of `dtype`. */
export function fileArray(dtype: FileDType, bytes: Uint8Array): FileArray {
  const { array } = fileFormats[dtype];
  return new array(new Uint8Array(bytes).buffer);
}

/** The bytes of an array, not copied. */
export function bytesOf(data: FileArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Format, shape and size in a file, without touching the numbers. @throws {DTypeError} for complex formats. */
export function describe(
  op: string,
  name: string,
  value: TensorLike | RawTensor,
): { readonly dtype: FileDType; readonly shape: readonly number[]; readonly bytes: number } {
  const { shape } = value;
  if (isRaw(value))
    return { dtype: value.dtype, shape, bytes: elementCount(shape) * fileFormats[value.dtype].bytes };
  const format = tensorDType(value);
  const dtype = fileDTypes[format];
  if (dtype === undefined) {
    throw new DTypeError({
      op,
      argument: name,
      wanted: 'a real format; write complex numbers as f32 or f64 with a last axis of 2',
      got: format,
    });
  }
  return { dtype, shape, bytes: elementCount(shape) * bytesPerElement(format) };
}

/**
 * The row-major numbers of `value` on the host: a part of its own array where they lie in order, else a copy.
 * @throws {ArgumentError | DisposedError | DTypeError | ShapeError} for memory that does not hold them.
 */
export function fileArrayOf(op: string, name: string, value: TensorLike | RawTensor): FileArray {
  return isRaw(value) ? checkRaw(op, name, value) : rowMajorArray(op, name, value);
}

export function isRaw(value: TensorLike | RawTensor): value is RawTensor {
  return typeof value?.dtype === 'string' && Object.hasOwn(fileFormats, value.dtype);
}

/** The array of a raw tensor, if it is one. @throws {DTypeError | ShapeError} */
export function checkRaw(op: string, name: string, { dtype, shape, data }: RawTensor): FileArray {
  const { array } = fileFormats[dtype];
  if (!(data instanceof array)) {
    const got = ArrayBuffer.isView(data) ? (data as object).constructor.name : typeof data;
    throw new DTypeError({ op, argument: name, wanted: `${array.name} for ${dtype}`, got });
  }
  const whole = Array.isArray(shape) && shape.every((size) => Number.isSafeInteger(size) && size >= 0);
  if (!whole || data.length !== elementCount(shape)) {
    throw new ShapeError({
      op,
      argument: name,
      wanted: `sizes of 0 or more for ${data.length} numbers`,
      got: Array.isArray(shape) ? formatShape(shape) : typeof shape,
    });
  }
  return data;
}
