/** TensorFlow.js: tensors whose numbers can be had synchronously. */
import {
  ArgumentError,
  type DType,
  loadFloat64,
  rowMajorArray,
  type TensorLike,
  tensorDType,
} from '@statespace/ssd-core';
import { type ArrayTensor, expectObject, packedTensor, readList, refuseComplex } from './array-tensor.js';
import { readNumbers } from './foreign-numbers.js';

/** What is read of a `tf.Tensor`. */
export interface TfjsTensor {
  readonly shape: readonly number[];
  readonly dtype: string;
  dataSync(): unknown;
}

/** What `tf.tensor(values, shape, dtype)` takes. */
export interface TfjsTensorArguments {
  readonly values: Float32Array | Int32Array;
  readonly shape: number[];
  readonly dtype: 'float32' | 'int32';
}

/**
 * A `tf.Tensor` as a tensor of kernels; complex64 has its pairs along a last axis of 2. TensorFlow.js may give its own memory
 * in `dataSync()`: do not write into it.
 * @throws {DTypeError} for strings. @throws {ArgumentError} for what is no tensor. @throws {ShapeError} for data of another
 * size.
 */
export function fromTfjsTensor(tensor: TfjsTensor): ArrayTensor {
  const op = 'fromTfjsTensor';
  const { shape: sizes, dtype: type } = expectObject(op, 'tensor', 'a tf.Tensor', tensor);
  if (typeof tensor.dataSync !== 'function') {
    throw new ArgumentError({ op, argument: 'tensor', wanted: 'a tf.Tensor with dataSync()', got: 'none' });
  }
  const shape = readList(op, 'shape', sizes);
  const numbers = readNumbers(op, 'tensor', type, tensor.dataSync());
  return packedTensor(op, 'tensor', { ...numbers, shape: type === 'complex64' ? [...shape, 2] : shape });
}

const integers: readonly DType[] = ['i32', 'u8'];

/**
 * A tensor as the arguments of `tf.tensor(values, shape, dtype)`. TensorFlow.js computes in float32 alone: f64 is rounded,
 * f16 and bf16 become float32 exactly, u8 becomes int32. f32 and i32 in row-major order are handed over without a copy.
 * @throws {DTypeError} for complex formats. @throws {ArgumentError | DisposedError | ShapeError} for memory that does not
 * hold the tensor.
 * @example
 * const { values, shape, dtype } = toTfjsTensor(out);
 * const y = tf.tensor(values, shape, dtype);
 */
export function toTfjsTensor(tensor: TensorLike): TfjsTensorArguments {
  const op = 'toTfjsTensor';
  const data = rowMajorArray(op, 'tensor', tensor);
  const from = tensorDType(tensor);
  refuseComplex(op, 'TensorFlow.js, in this form,', from);
  const shape = [...tensor.shape];
  if (integers.includes(from)) {
    return { values: data instanceof Int32Array ? data : Int32Array.from(data), shape, dtype: 'int32' };
  }
  const values = data instanceof Float32Array ? data : Float32Array.from(loadFloat64(op, 'tensor', tensor));
  return { values, shape, dtype: 'float32' };
}
