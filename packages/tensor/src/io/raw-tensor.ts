/** Tensors as files hold them: number formats that tensors lack included, and the way from one to the other. */
import {
  bytesPerElement,
  type DType,
  DTypeError,
  elementCount,
  FormatError,
  hostData,
  isContiguous,
  type TensorLike,
  type TypedArray,
  tensorDType,
} from '@statespace/ssd-core';
import { empty, type TensorOptions } from '../create.js';
import { toHost } from '../host.js';
import { decodeHalves, encodeNumbers } from '../numbers.js';
import type { Shape } from '../shape.js';
import { Tensor } from '../tensor.js';

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
  readonly shape: Shape;
  readonly data: FileArray;
}

interface FileFormat {
  readonly bytes: number;
  readonly array: new (buffer: ArrayBuffer) => FileArray;
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
): { readonly dtype: FileDType; readonly shape: Shape; readonly bytes: number } {
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

/** The row-major numbers of `value` on the host. */
export function fileArrayOf(op: string, name: string, value: TensorLike | RawTensor): FileArray {
  if (isRaw(value)) return value.data;
  if (value instanceof Tensor) return toHost(value);
  const data = hostData(op, name, value);
  const start = value.offset ?? 0;
  if (isContiguous(value)) return data.subarray(start, start + elementCount(value.shape));
  return gather(data, value.shape, value.strides ?? [], start);
}

function isRaw(value: TensorLike | RawTensor): value is RawTensor {
  return value.dtype !== undefined && Object.hasOwn(fileFormats, value.dtype);
}

/** The elements of a strided view in row-major order. */
export function gather<A extends FileArray>(data: A, shape: Shape, strides: Shape, offset: number): A {
  const count = elementCount(shape);
  const out = data.slice(0, 0).constructor as new (length: number) => A;
  const result = new out(count);
  const index = new Array<number>(shape.length).fill(0);
  for (let i = 0, at = offset; i < count; i++) {
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

/**
 * A tensor of what a file holds: I64, I16 and I8 become i32, BOOL becomes u8, and everything is converted to
 * `options.dtype` where that is given.
 * @throws {FormatError} for an I64 that i32 cannot hold.
 */
export function toTensor(op: string, name: string, raw: RawTensor, options: TensorOptions = {}): Tensor {
  const own = fileFormats[raw.dtype].tensor;
  const wanted = options.dtype ?? own;
  const sameBits = wanted === own && raw.data.BYTES_PER_ELEMENT === bytesPerElement(wanted);
  const array = sameBits ? (raw.data as TypedArray) : encodeNumbers(op, numbersOf(op, name, raw), wanted);
  const out = empty(raw.shape, { ...options, dtype: wanted });
  if (out.size > 0) out.kernels.upload(out.data, array);
  return out;
}

function numbersOf(op: string, name: string, raw: RawTensor): readonly number[] | TypedArray {
  const { data, dtype } = raw;
  if (data instanceof BigInt64Array) {
    return Array.from(data, (value, i) => {
      if (value >= -2147483648n && value <= 2147483647n) return Number(value);
      throw new FormatError({
        op,
        argument: `${name}[${i}]`,
        wanted: 'a 64-bit integer that fits into 32 bits',
        got: String(value),
        hint: 'Read it as a raw array instead',
      });
    });
  }
  if (dtype === 'F16' || dtype === 'BF16')
    return decodeHalves(data as Uint16Array, dtype === 'F16' ? 'f16' : 'bf16');
  if (data instanceof Int16Array || data instanceof Int8Array) return Int32Array.from(data);
  return data;
}
