/** scijs ndarray: strided views of typed arrays, which need no copy either way. */
import {
  ArgumentError,
  checkView,
  contiguousStrides,
  type DType,
  hostData,
  loadFloat64,
  type TensorLike,
  tensorDType,
} from '@statespace/ssd-core';
import { type ArrayTensor, expectObject, readList, refuseComplex } from './array-tensor.js';
import { arrayName, readNumbers } from './foreign-numbers.js';

/** What is read of an ndarray. */
export interface Ndarray {
  readonly data: unknown;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
  readonly offset: number;
}

/** What `ndarray(data, shape, stride, offset)` takes; the lists are the caller's to change. */
export interface NdarrayArguments {
  readonly data: Float32Array | Float64Array | Int32Array | Uint8Array;
  readonly shape: number[];
  readonly stride: number[];
  readonly offset: number;
}

/** Names of typed arrays and the formats that ndarrays hold in them. */
const types: Readonly<Record<string, string>> = {
  Float64Array: 'float64',
  Float32Array: 'float32',
  Float16Array: 'float16',
  BigInt64Array: 'int64',
  Int32Array: 'int32',
  Int16Array: 'int16',
  Int8Array: 'int8',
  BigUint64Array: 'uint64',
  Uint32Array: 'uint32',
  Uint16Array: 'uint16',
  Uint8Array: 'uint8',
  Uint8ClampedArray: 'uint8',
};

/**
 * An ndarray as a tensor. Floats, int32 and bytes share its memory, whatever its strides; other integers are copied to
 * int32, a plain array of numbers to float64.
 * @throws {ArgumentError} for other stores, and for an integer that int32 cannot hold. @throws {ShapeError} for a view that
 * leaves its array. @throws {DisposedError} for memory that is gone.
 */
export function fromNdarray(array: Ndarray): ArrayTensor {
  const op = 'fromNdarray';
  const { data, shape, stride, offset } = expectObject(op, 'array', 'an ndarray', array);
  const type = types[arrayName(data) ?? ''];
  const numbers =
    type === undefined
      ? ({ data: readPlain(op, data), dtype: 'f64' } as const)
      : readNumbers(op, 'data', type, data);
  const tensor = {
    ...numbers,
    shape: readList(op, 'shape', shape),
    strides: readList(op, 'stride', stride),
    offset,
  };
  checkView(op, 'array', tensor);
  return tensor;
}

function readPlain(op: string, data: unknown): Float64Array {
  if (Array.isArray(data) && data.every((value) => typeof value === 'number')) return Float64Array.from(data);
  throw new ArgumentError({
    op,
    argument: 'data',
    wanted: 'a typed array or an array of numbers',
    got: Array.isArray(data) ? 'an array of other things' : typeof data,
  });
}

const shared: readonly DType[] = ['f32', 'f64', 'i32', 'u8'];

/**
 * A tensor as the arguments of `ndarray(data, shape, stride, offset)`, over its own memory; f16 and bf16, which ndarray takes
 * for integers, become float32, exactly.
 * @throws {DTypeError} for complex formats. @throws {ArgumentError | DisposedError | ShapeError} for memory that does not
 * hold the tensor.
 * @example
 * const { data, shape, stride, offset } = toNdarray(out);
 * const y = ndarray(data, shape, stride, offset);
 */
export function toNdarray(tensor: TensorLike): NdarrayArguments {
  const op = 'toNdarray';
  checkView(op, 'tensor', tensor);
  const dtype = tensorDType(tensor);
  refuseComplex(op, 'ndarray', dtype);
  const shape = [...tensor.shape];
  if (!shared.includes(dtype)) {
    const data = Float32Array.from(loadFloat64(op, 'tensor', tensor));
    return { data, shape, stride: contiguousStrides(shape), offset: 0 };
  }
  const data = hostData(op, 'tensor', tensor) as NdarrayArguments['data'];
  const stride = [...(tensor.strides ?? contiguousStrides(shape))];
  return { data, shape, stride, offset: tensor.offset ?? 0 };
}
