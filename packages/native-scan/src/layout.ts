/** The two orders of sequence axes, and outputs in either. */
import {
  ArgumentError,
  allocateHostArray,
  checkView,
  contiguousStrides,
  type DType,
  elementCount,
  hostData,
  type TensorLike,
} from '@statespace/ssd-core';

/**
 * `'bld'` (default): (B, L, ...), the length second. `'bdl'`: (B, ..., L), the length last, as mamba_ssm has it; complex
 * pairs stay behind it, (B, ..., L, 2). States, weights and constant coefficients have no length and one order only.
 */
export type SequenceLayout = 'bld' | 'bdl';

/** A tensor in host memory, as calls return them. */
export interface HostTensor extends TensorLike {
  readonly data: Float32Array | Float64Array | Uint16Array;
  readonly dtype: DType;
}

/** @throws {ArgumentError} for another word. */
export function checkLayout(op: string, layout: SequenceLayout | undefined): SequenceLayout {
  if (layout === undefined || layout === 'bld' || layout === 'bdl') return layout ?? 'bld';
  throw new ArgumentError({ op, argument: 'layout', wanted: "'bld' or 'bdl'", got: `'${String(layout)}'` });
}

/** `tensor` seen as (B, L, ...); a view, whatever its layout. `pairs`: its last axis holds (re, im). */
export function asLengthSecond<T extends TensorLike | undefined>(
  tensor: T,
  layout: SequenceLayout,
  pairs = false,
): T {
  const rank = tensor?.shape?.length ?? 0;
  const last = rank - (pairs ? 2 : 1);
  if (tensor === undefined || layout === 'bld' || last < 2) return tensor;
  return permuted(tensor, [0, last, ...range(1, last), ...range(last + 1, rank)]) as T;
}

function permuted(tensor: TensorLike, axes: readonly number[]): TensorLike {
  const strides = tensor.strides ?? contiguousStrides(tensor.shape);
  return {
    ...tensor,
    shape: axes.map((axis) => tensor.shape[axis] as number),
    strides: axes.map((axis) => strides[axis] as number),
  };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
}

/** An output that a kernel writes, and the tensor that the caller gets. */
export interface Output {
  /** With its length second: the caller's tensor, or a view of it. */
  readonly target: TensorLike;
  readonly result: HostTensor;
}

/** What an output looks like. */
export interface OutputRequest {
  readonly op: string;
  readonly argument: string;
  /** Shape with the length second. */
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** The caller's tensor, in the caller's layout. */
  readonly given?: TensorLike | undefined;
  /** `'bld'` for tensors without a length. */
  readonly layout: SequenceLayout;
  readonly pairs?: boolean;
}

/** Makes room for an output, in the caller's tensor where there is one. */
export function makeOutput(request: OutputRequest): Output {
  const { op, argument, shape, dtype, given, layout, pairs = false } = request;
  if (given !== undefined) checkView(op, argument, given);
  const result = given ?? freshTensor(layout === 'bld' ? shape : lengthLast(shape, pairs), dtype);
  return {
    target: asLengthSecond(result, layout, pairs),
    result: { ...result, data: hostData(op, argument, result) as HostTensor['data'], dtype },
  };
}

/** The shape of a tensor of length-second `shape` with its length last, but before pairs. */
function lengthLast(shape: readonly number[], pairs: boolean): number[] {
  const end = shape.length - (pairs ? 1 : 0);
  return [shape[0] as number, ...shape.slice(2, end), shape[1] as number, ...shape.slice(end)];
}

function freshTensor(shape: readonly number[], dtype: DType): TensorLike {
  const data = allocateHostArray(dtype, elementCount(shape));
  // Arrays start at zero, which would hide an entry that nobody wrote.
  if (process.env.STATESPACE_POISON === '1') data.fill(Number.NaN);
  return { data, shape, dtype };
}
