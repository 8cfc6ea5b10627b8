/** Between tensors of any format and strides and the row-major float64 arrays in which the reference computes. */
import { allocateHostArray, type DType, type TypedArray } from '../dtype.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { decodeBfloat16, decodeFloat16, encodeBfloat16, encodeFloat16 } from '../half-floats.js';
import { checkView } from '../tensor-checks.js';
import {
  contiguousStrides,
  elementCount,
  formatShape,
  hostData,
  isContiguous,
  type TensorLike,
  tensorDType,
} from '../tensor-like.js';

/** Arrays whose elements are their own numbers (not bit patterns). */
type NumericArray = Exclude<TypedArray, Uint16Array>;

/**
 * The entries of `tensor` in row-major order, as a fresh float64 array that the caller may change.
 * Complex formats give their (re, im) elements. @throws as `checkView`.
 */
export function loadFloat64(op: string, argument: string, tensor: TensorLike): Float64Array {
  checkView(op, argument, tensor);
  const data = hostData(op, argument, tensor);
  const count = elementCount(tensor.shape);
  const values = allocateHostArray('f64', count) as Float64Array;
  if (count === 0) return values;
  if (data instanceof Uint16Array) {
    const decode = tensorDType(tensor) === 'f16' ? decodeFloat16 : decodeBfloat16;
    visitRows(tensor, (source, stride, row, rowLength) => {
      for (let i = 0; i < rowLength; i++) values[row + i] = decode(data[source + i * stride] as number);
    });
  } else if (isContiguous(tensor)) {
    const start = tensor.offset ?? 0;
    values.set(data.subarray(start, start + count));
  } else {
    visitRows(tensor, (source, stride, row, rowLength) => {
      for (let i = 0; i < rowLength; i++) values[row + i] = data[source + i * stride] as number;
    });
  }
  return values;
}

/**
 * Writes row-major `values` into `tensor`, rounding each number once to its format.
 * Integer formats take the number without its fraction, limited to their range; NaN becomes 0.
 */
export function storeFloat64(op: string, argument: string, tensor: TensorLike, values: Float64Array): void {
  checkView(op, argument, tensor);
  const data = hostData(op, argument, tensor);
  const count = elementCount(tensor.shape);
  if (values.length !== count) {
    throw new ShapeError({
      op,
      argument,
      wanted: `${values.length} entries`,
      got: formatShape(tensor.shape),
    });
  }
  if (count === 0) return;
  const convert = converters[tensorDType(tensor)];
  if (convert === undefined && isContiguous(tensor)) {
    (data as NumericArray).set(values, tensor.offset ?? 0);
    return;
  }
  visitRows(tensor, (target, stride, row, rowLength) => {
    for (let i = 0; i < rowLength; i++) {
      const value = values[row + i] as number;
      data[target + i * stride] = convert === undefined ? value : convert(value);
    }
  });
}

const truncateToInt32 = (value: number) => Math.max(-2147483648, Math.min(2147483647, Math.trunc(value)));
const truncateToUint8 = (value: number) => Math.max(0, Math.min(255, Math.trunc(value)));

/** Conversions that a typed array does not make by itself; a NaN stored in an integer array becomes 0. */
const converters: Partial<Record<DType, (value: number) => number>> = {
  f16: encodeFloat16,
  bf16: encodeBfloat16,
  i32: truncateToInt32,
  u8: truncateToUint8,
};

/**
 * Calls `visit(start, stride, row, rowLength)` for each run along the last axis, in row-major order: `start` and
 * `stride` address the memory, `row` is the run's first entry in row-major counting.
 */
function visitRows(
  tensor: TensorLike,
  visit: (start: number, stride: number, row: number, rowLength: number) => void,
): void {
  const { shape, offset = 0 } = tensor;
  const strides = tensor.strides ?? contiguousStrides(shape);
  const outerRank = Math.max(shape.length - 1, 0);
  const rowLength = shape[outerRank] ?? 1;
  const stride = strides[outerRank] ?? 1;
  const count = elementCount(shape);
  const index = new Array<number>(outerRank).fill(0);
  let start = offset;
  for (let row = 0; row < count; row += rowLength) {
    visit(start, stride, row, rowLength);
    for (let axis = outerRank - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      start += strides[axis] as number;
      if ((index[axis] as number) < (shape[axis] as number)) break;
      start -= (strides[axis] as number) * (shape[axis] as number);
      index[axis] = 0;
    }
  }
}

/** A contiguous copy of the entries, in a new host array of the same format. */
export function loadContiguous(op: string, argument: string, tensor: TensorLike): TypedArray {
  checkView(op, argument, tensor);
  const data = hostData(op, argument, tensor);
  const copy = allocateHostArray(tensorDType(tensor), elementCount(tensor.shape));
  if (copy.length === 0) return copy;
  visitRows(tensor, (source, stride, row, rowLength) => {
    for (let i = 0; i < rowLength; i++) copy[row + i] = data[source + i * stride] as number;
  });
  return copy;
}

/** The entries in row-major order: a part of the tensor's own array where they lie so, else a copy. */
export function rowMajorArray(op: string, argument: string, tensor: TensorLike): TypedArray {
  checkView(op, argument, tensor);
  const count = elementCount(tensor.shape);
  if (count === 0 || !isContiguous(tensor)) return loadContiguous(op, argument, tensor);
  const start = tensor.offset ?? 0;
  return hostData(op, argument, tensor).subarray(start, start + count);
}

/**
 * A copy of an index tensor, each entry in [0, `below`) or equal to `except`.
 * @throws {ArgumentError} naming the first entry outside.
 */
export function loadIndices(
  op: string,
  argument: string,
  tensor: TensorLike,
  below: number,
  except?: number,
): Int32Array {
  const indices = loadContiguous(op, argument, tensor) as Int32Array;
  indices.forEach((value, position) => {
    if ((value < 0 || value >= below) && value !== except) {
      const alternative = except === undefined ? '' : ` or ${except}`;
      throw new ArgumentError({
        op,
        argument: `${argument}[${position}]`,
        wanted: `an index in [0, ${below})${alternative}`,
        got: String(value),
      });
    }
  });
  return indices;
}
