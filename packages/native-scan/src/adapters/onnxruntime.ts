/** ONNX Runtime: `Tensor` of onnxruntime-node, onnxruntime-web and onnxruntime-common. */
import {
  ArgumentError,
  DisposedError,
  type DType,
  loadFloat64,
  rowMajorArray,
  type TensorLike,
  tensorDType,
} from '@statespace/ssd-core';
import { type ArrayTensor, expectObject, packedTensor, readList, refuseComplex } from './array-tensor.js';
import { readNumbers } from './foreign-numbers.js';

/** What is read of an ONNX Runtime tensor. */
export interface OnnxTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: unknown;
  /** `'cpu'` when absent. */
  readonly location?: string;
}

/** What `new ort.Tensor(type, data, dims)` takes. */
export interface OnnxTensorArguments {
  readonly type: 'float32' | 'float64' | 'float16' | 'int32' | 'uint8';
  readonly data: Float32Array | Float64Array | Uint16Array | Int32Array | Uint8Array;
  readonly dims: readonly number[];
}

/**
 * An ONNX Runtime tensor as a tensor of kernels. float64, float32, float16, int32, uint8 and bool share its memory; int64,
 * int16, int8 and their unsigned kin are copied to int32.
 * @throws {ArgumentError} for data that are not in the processor's memory, and for an integer that int32 cannot hold.
 * @throws {DTypeError} for strings and 4-bit integers. @throws {ShapeError} for data of another size.
 * @throws {DisposedError} after `dispose()`.
 * @example
 * const { hidden } = await session.run(feeds);
 * const u = fromOnnxTensor(hidden);
 */
export function fromOnnxTensor(tensor: OnnxTensor): ArrayTensor {
  const op = 'fromOnnxTensor';
  const { type, dims, location = 'cpu' } = expectObject(op, 'tensor', 'an ONNX Runtime tensor', tensor);
  if (location === 'none')
    throw new DisposedError({ op, argument: 'tensor', got: 'a tensor that was disposed' });
  if (location !== 'cpu' && location !== 'cpu-pinned') {
    throw new ArgumentError({
      op,
      argument: 'tensor',
      wanted: "data on the CPU (location 'cpu')",
      got: typeof location === 'string' ? `location '${location}'` : typeof location,
      hint: "Call await tensor.getData() first, or ask the session for preferredOutputLocation: 'cpu'",
    });
  }
  const shape = readList(op, 'dims', dims);
  return packedTensor(op, 'tensor', { ...readNumbers(op, 'data', type, tensor.data), shape });
}

const onnxTypes: Partial<Record<DType, OnnxTensorArguments['type']>> = {
  f32: 'float32',
  f64: 'float64',
  f16: 'float16',
  i32: 'int32',
  u8: 'uint8',
};

/**
 * A tensor as the arguments of `new ort.Tensor(type, data, dims)`. The data are the tensor's own memory where its entries
 * lie in row-major order, else a copy; bf16, which ONNX Runtime for JavaScript lacks, becomes float32, exactly.
 * @throws {DTypeError} for complex formats. @throws {ArgumentError | DisposedError | ShapeError} for memory that does not
 * hold the tensor.
 * @example
 * const { type, data, dims } = toOnnxTensor(out);
 * await session.run({ input: new ort.Tensor(type, data, dims) });
 */
export function toOnnxTensor(tensor: TensorLike): OnnxTensorArguments {
  const op = 'toOnnxTensor';
  const data = rowMajorArray(op, 'tensor', tensor);
  const dtype = tensorDType(tensor);
  refuseComplex(op, 'ONNX Runtime', dtype);
  const dims = [...tensor.shape];
  const type = onnxTypes[dtype];
  if (type !== undefined) return { type, data, dims };
  return { type: 'float32', data: Float32Array.from(loadFloat64(op, 'tensor', tensor)), dims };
}
