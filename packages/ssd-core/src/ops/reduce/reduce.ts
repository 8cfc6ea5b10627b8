/** Reductions over axes, and the index of the largest entry. */
import { ArgumentError, ShapeError } from '../../errors.js';
import type { ArgmaxArgs, ReduceArgs } from '../../kernels/dense-args.js';
import { loadFloat64 } from '../../reference/views.js';
import {
  checkView,
  expectInput,
  expectOutput,
  indexDTypes,
  lastAxis,
  realDTypes,
} from '../../tensor-checks.js';
import { contiguousStrides, elementCount, formatShape, type TensorLike } from '../../tensor-like.js';
import { type Float64Tensor, float64Tensor } from '../float64-tensor.js';

const reductions = ['sum', 'mean', 'max'] as const;

/** A reduction as (kept, reduced) axes of `x`. */
export interface ReduceDims {
  readonly keptAxes: readonly number[];
  readonly reducedAxes: readonly number[];
  /** Entries that make one result. */
  readonly reducedCount: number;
}

/** @throws {StatespaceError} naming `op` and the argument that does not fit. */
export function checkReduce(op: string, args: ReduceArgs): ReduceDims {
  const dims = checkReduceInputs(op, args.op, args.x, args.axes);
  const { shape } = args.x;
  const dropped = dims.keptAxes.map((axis) => shape[axis] as number);
  const kept = shape.map((size, axis) => (dims.reducedAxes.includes(axis) ? 1 : size));
  const wanted = args.out.shape?.length === dropped.length ? dropped : kept;
  expectOutput(op, 'out', args.out, { shape: wanted, dtypes: realDTypes });
  return dims;
}

/** @throws {StatespaceError} naming `op` and the argument that does not fit. */
export function checkArgmax(op: string, args: ArgmaxArgs): void {
  checkNonEmptyRows(op, args.x);
  expectOutput(op, 'out', args.out, { shape: args.x.shape.slice(0, -1), dtypes: indexDTypes });
}

/**
 * Sum, mean or largest entry over `axes`, which the result's shape leaves out. Entries are taken in row-major
 * order; a NaN among them makes the result NaN. The sum of nothing is 0, its mean NaN, its maximum an error.
 */
export function reduceRef({ op, x, axes }: Omit<ReduceArgs, 'out'>): Float64Tensor {
  const { keptAxes, reducedAxes, reducedCount } = checkReduceInputs('reduce', op, x, axes);
  const strides = x.strides ?? contiguousStrides(x.shape);
  const order = [...keptAxes, ...reducedAxes];
  const values = loadFloat64('reduce', 'x', {
    ...x,
    shape: order.map((axis) => x.shape[axis] as number),
    strides: order.map((axis) => strides[axis] as number),
  });
  const shape = keptAxes.map((axis) => x.shape[axis] as number);
  const out = new Float64Array(elementCount(shape));
  for (let row = 0; row < out.length; row++) {
    let result = op === 'max' ? Number.NEGATIVE_INFINITY : 0;
    for (let i = row * reducedCount; i < (row + 1) * reducedCount; i++) {
      const value = values[i] as number;
      result = op === 'max' ? Math.max(result, value) : result + value;
    }
    out[row] = op === 'mean' ? result / reducedCount : result;
  }
  return float64Tensor(out, shape);
}

/** Index of the largest entry along the last axis; the lowest of equal ones, and of NaNs where there are any. */
export function argmaxRef({ x }: Omit<ArgmaxArgs, 'out'>): {
  readonly data: Int32Array;
  readonly shape: readonly number[];
} {
  const length = checkNonEmptyRows('argmax', x);
  const values = loadFloat64('argmax', 'x', x);
  const out = new Int32Array(values.length / length);
  for (let row = 0; row < out.length; row++) {
    out[row] = argmaxOf(values.subarray(row * length, (row + 1) * length));
  }
  return { data: out, shape: x.shape.slice(0, -1) };
}

/** Index of the largest of `values`; ties and NaN as in `argmaxRef`. */
export function argmaxOf(values: Float64Array): number {
  let best = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (Number.isNaN(value)) return i;
    if (value > (values[best] as number)) best = i;
  }
  return best;
}

function checkReduceInputs(op: string, name: string, x: TensorLike, axes: readonly number[]): ReduceDims {
  if (!(reductions as readonly string[]).includes(name)) {
    throw new ArgumentError({ op, argument: 'op', wanted: `one of ${reductions.join(', ')}`, got: name });
  }
  expectInput(op, 'x', x, { dtypes: realDTypes });
  const rank = x.shape.length;
  const valid = axes.every((axis) => Number.isInteger(axis) && axis >= 0 && axis < rank);
  if (!valid || new Set(axes).size !== axes.length) {
    const wanted = `different axes in [0, ${rank})`;
    throw new ArgumentError({ op, argument: 'axes', wanted, got: formatShape(axes) });
  }
  const reducedAxes = [...axes].sort((a, b) => a - b);
  const keptAxes = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const reducedCount = elementCount(reducedAxes.map((axis) => x.shape[axis] as number));
  if (name === 'max' && reducedCount === 0) {
    throw new ShapeError({ op, argument: 'x', wanted: 'entries to choose from', got: formatShape(x.shape) });
  }
  return { keptAxes, reducedAxes, reducedCount };
}

function checkNonEmptyRows(op: string, x: TensorLike): number {
  checkView(op, 'x', x);
  expectInput(op, 'x', x, { dtypes: realDTypes });
  const length = lastAxis(op, 'x', x);
  if (length === 0) {
    throw new ShapeError({ op, argument: 'x', wanted: 'entries to choose from', got: formatShape(x.shape) });
  }
  return length;
}
