/** Small arrays of tests: comparison, axis order, poisoned outputs. */
import type { DType, TypedArray } from '../dtype.js';
import { contiguousStrides, elementCount } from '../tensor-like.js';

/** A contiguous float64 tensor, what oracles return and tests build. */
export interface HostTensor {
  readonly data: Float64Array;
  readonly shape: readonly number[];
  readonly dtype?: DType;
}

/** Anything with numbers in it: a typed array, a plain list, or a tensor of one. */
export type Numbers = ArrayLike<number> | { readonly data: ArrayLike<number> };

function numbersOf(values: Numbers): ArrayLike<number> {
  return 'data' in values ? values.data : values;
}

/**
 * e = max|ours - golden| / max(max|golden|, 1e-3). The floor matters where a gradient is zero by mathematics.
 * NaN anywhere gives Infinity, so that no comparison passes by accident.
 * @throws {RangeError} when the lengths differ.
 */
export function maxRelativeError(ours: Numbers, golden: Numbers): number {
  const a = numbersOf(ours);
  const b = numbersOf(golden);
  if (a.length !== b.length) throw new RangeError(`lengths differ: ours ${a.length}, golden ${b.length}`);
  let difference = 0;
  let scale = 1e-3;
  for (let i = 0; i < b.length; i++) {
    const wanted = b[i] as number;
    const gap = Math.abs((a[i] as number) - wanted);
    if (Number.isNaN(gap)) return Number.POSITIVE_INFINITY;
    difference = Math.max(difference, gap);
    scale = Math.max(scale, Math.abs(wanted));
  }
  return difference / scale;
}

/** A float64 tensor around `data` (copied). */
export function hostTensor(data: ArrayLike<number>, shape: readonly number[], dtype?: DType): HostTensor {
  const values = Float64Array.from(data);
  if (values.length !== elementCount(shape)) {
    throw new RangeError(`${values.length} numbers do not fill the shape (${shape.join(', ')})`);
  }
  return dtype === undefined ? { data: values, shape } : { data: values, shape, dtype };
}

/** A float64 tensor of zeros. */
export function zeroTensor(shape: readonly number[]): HostTensor {
  return { data: new Float64Array(elementCount(shape)), shape };
}

/** An output to be written: every element NaN, so that an unwritten one shows. */
export function nanTensor(
  shape: readonly number[],
  dtype: 'f32',
): { data: Float32Array; shape: readonly number[] };
export function nanTensor(shape: readonly number[], dtype?: 'f64'): HostTensor;
export function nanTensor(
  shape: readonly number[],
  dtype: 'f32' | 'f64' = 'f64',
): { data: Float32Array | Float64Array; shape: readonly number[] } {
  const length = elementCount(shape);
  const data: Float32Array | Float64Array =
    dtype === 'f32' ? new Float32Array(length) : new Float64Array(length);
  return { data: data.fill(Number.NaN), shape };
}

/** The same numbers under another shape. */
export function reshaped(tensor: HostTensor, shape: readonly number[], dtype?: DType): HostTensor {
  return hostTensor(tensor.data, shape, dtype ?? tensor.dtype);
}

/**
 * A contiguous copy with its axes in the order `axes`, as `np.transpose`: axis i of the result is axis
 * `axes[i]` of `tensor`. `permuted(x, [0, 2, 1])` takes (B, D, L) to (B, L, D).
 */
export function permuted(tensor: HostTensor, axes: readonly number[]): HostTensor {
  const strides = contiguousStrides(tensor.shape);
  const shape = axes.map((axis) => tensor.shape[axis] as number);
  const steps = axes.map((axis) => strides[axis] as number);
  const data = new Float64Array(tensor.data.length);
  const index = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let i = 0; i < data.length; i++) {
    data[i] = tensor.data[from] as number;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += steps[axis] as number;
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (shape[axis] as number)) break;
      from -= (steps[axis] as number) * (shape[axis] as number);
      index[axis] = 0;
    }
  }
  return tensor.dtype === undefined ? { data, shape } : { data, shape, dtype: tensor.dtype };
}

/** Sum of the products, in index order. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new RangeError(`lengths differ: ${a.length} and ${b.length}`);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

/** Rows `start` to `end` along `axis`, as a contiguous copy. */
export function sliced(tensor: HostTensor, axis: number, start: number, end: number): HostTensor {
  const inner = elementCount(tensor.shape.slice(axis + 1));
  const size = tensor.shape[axis] as number;
  const outer = elementCount(tensor.shape.slice(0, axis));
  const run = (end - start) * inner;
  const data = new Float64Array(outer * run);
  for (let o = 0; o < outer; o++) {
    const from = (o * size + start) * inner;
    data.set(tensor.data.subarray(from, from + run), o * run);
  }
  const shape = tensor.shape.map((length, i) => (i === axis ? end - start : length));
  return tensor.dtype === undefined ? { data, shape } : { data, shape, dtype: tensor.dtype };
}

/** The tensors one after another along `axis`. */
export function concatenated(tensors: readonly HostTensor[], axis: number): HostTensor {
  const first = tensors[0];
  if (first === undefined) throw new RangeError('nothing to concatenate');
  const outer = elementCount(first.shape.slice(0, axis));
  const runs = tensors.map((tensor) => elementCount(tensor.shape.slice(axis)));
  const row = runs.reduce((sum, run) => sum + run, 0);
  const data = new Float64Array(outer * row);
  let at = 0;
  tensors.forEach((tensor, k) => {
    const run = runs[k] as number;
    for (let o = 0; o < outer; o++) data.set(tensor.data.subarray(o * run, (o + 1) * run), o * row + at);
    at += run;
  });
  const size = tensors.reduce((sum, tensor) => sum + (tensor.shape[axis] as number), 0);
  return { data, shape: first.shape.map((length, i) => (i === axis ? size : length)) };
}

/** The largest absolute value; 0 of nothing. */
export function maxAbs(values: TypedArray | readonly number[]): number {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  return largest;
}

/**
 * `maxRelativeError` of each expected array against the result of the same name; Infinity where the result is
 * missing or has another shape.
 */
export function errorsAgainst(
  results: Readonly<Record<string, HostTensor | undefined>>,
  expected: Readonly<Record<string, HostTensor>>,
): Record<string, number> {
  const errors: Record<string, number> = {};
  for (const [name, wanted] of Object.entries(expected)) {
    const ours = results[name];
    const sameShape = ours !== undefined && String(ours.shape) === String(wanted.shape);
    errors[name] = sameShape ? maxRelativeError(ours, wanted) : Number.POSITIVE_INFINITY;
  }
  return errors;
}

/** The largest of named errors; Infinity of none, since a comparison of nothing proves nothing. */
export function worst(errors: Readonly<Record<string, number>>): number {
  const values = Object.values(errors);
  return values.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...values);
}
