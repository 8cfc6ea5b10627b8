/** Checks that kernels share: memory, format and shape of one argument, before anything is written. */
import type { DType } from './dtype.js';
import { ArgumentError, DisposedError, DTypeError, ShapeError } from './errors.js';
import { entriesAreSeparate } from './separate-entries.js';
import {
  elementCount,
  expectShape,
  formatShape,
  isContiguous,
  isDeviceBuffer,
  type TensorLike,
  tensorDType,
} from './tensor-like.js';

export const floatDTypes: readonly DType[] = ['f32', 'f64', 'f16', 'bf16'];
export const realDTypes: readonly DType[] = [...floatDTypes, 'i32', 'u8'];
export const everyDType: readonly DType[] = [...realDTypes, 'c64', 'c128'];
export const indexDTypes: readonly DType[] = ['i32'];

/** What an op asks of one tensor argument. */
export interface TensorRequirement {
  readonly shape?: readonly number[];
  /** Axes of `shape` in letters, for the message: `'(B, L, D)'`. */
  readonly letters?: string;
  /** Default: real floats. */
  readonly dtypes?: readonly DType[];
}

/**
 * Checks that `tensor` is an input an op can read: live memory that holds the whole view, format, shape.
 * @throws {ArgumentError | DisposedError | DTypeError | ShapeError} naming `op` and `argument`.
 */
export function expectInput(
  op: string,
  argument: string,
  tensor: TensorLike,
  { shape, letters, dtypes = floatDTypes }: TensorRequirement = {},
): void {
  checkView(op, argument, tensor);
  const dtype = tensorDType(tensor, { op, argument });
  if (!dtypes.includes(dtype)) {
    throw new DTypeError({ op, argument, wanted: dtypes.join(' or '), got: dtype });
  }
  if (shape !== undefined) expectShape(op, argument, tensor, shape, letters);
}

/** As `expectInput`, for an output: contiguous too. */
export function expectOutput(
  op: string,
  argument: string,
  tensor: TensorLike,
  requirement: TensorRequirement = {},
): void {
  expectInput(op, argument, tensor, requirement);
  if (!isContiguous(tensor)) {
    throw new ShapeError({
      op,
      argument,
      wanted: 'a contiguous output',
      got: `strides ${formatShape(tensor.strides ?? [])} for shape ${formatShape(tensor.shape)}`,
    });
  }
}

/** As `expectInput`, for an output of any strides: no two entries may share memory. */
export function expectStridedOutput(
  op: string,
  argument: string,
  tensor: TensorLike,
  requirement: TensorRequirement = {},
): void {
  expectInput(op, argument, tensor, requirement);
  if (tensor.strides !== undefined && !entriesAreSeparate(tensor.shape, tensor.strides)) {
    throw new ShapeError({
      op,
      argument,
      wanted: 'an output whose entries are separate',
      got: `strides ${formatShape(tensor.strides)} for shape ${formatShape(tensor.shape)}`,
    });
  }
}

/** Checks that `tensor` has `rank` axes; `letters` name them in the message. @throws {ShapeError} */
export function expectRank(
  op: string,
  argument: string,
  tensor: TensorLike,
  rank: number,
  letters: string,
): void {
  if (tensor.shape.length !== rank) {
    throw new ShapeError({ op, argument, wanted: letters, got: formatShape(tensor.shape) });
  }
}

/** Size of the last axis. @throws {ShapeError} for a scalar. */
export function lastAxis(op: string, argument: string, tensor: TensorLike): number {
  const size = tensor.shape.at(-1);
  if (size === undefined) {
    throw new ShapeError({ op, argument, wanted: 'at least one axis', got: formatShape(tensor.shape) });
  }
  return size;
}

/**
 * Checks that every entry of a view lies inside its memory.
 * @throws {ArgumentError} for something that is no tensor. @throws {DisposedError} for memory given back.
 * @throws {ShapeError} for sizes, strides or an offset that do not fit.
 */
export function checkView(op: string, argument: string, tensor: TensorLike): void {
  const length = memoryLength(op, argument, tensor);
  const { shape, strides, offset = 0 } = tensor;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw new ShapeError({ op, argument, wanted: 'sizes of 0 or more', got: formatShape(shape) });
    }
  }
  if (strides !== undefined && !areStrides(strides, shape.length)) {
    throw new ShapeError({
      op,
      argument,
      wanted: `${shape.length} integer strides`,
      got: Array.isArray(strides) ? formatShape(strides) : typeof strides,
    });
  }
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new ShapeError({ op, argument, wanted: 'an offset of 0 or more', got: formatNumber(offset) });
  }
  const count = elementCount(shape);
  if (count === 0) return;
  let first = offset;
  let last = offset;
  if (strides === undefined) {
    last += count - 1;
  } else {
    for (let axis = 0; axis < shape.length; axis++) {
      const reach = (strides[axis] as number) * ((shape[axis] as number) - 1);
      if (reach < 0) first += reach;
      else last += reach;
    }
  }
  if (first >= 0 && last < length) return;
  throwIfDetached(op, argument, tensor);
  throw new ShapeError({
    op,
    argument,
    wanted: `memory of at least ${last + 1} elements for shape ${formatShape(shape)}`,
    got: first < 0 ? `a view that starts ${-first} before it` : `${length}`,
  });
}

function areStrides(strides: readonly number[], rank: number): boolean {
  return Array.isArray(strides) && strides.length === rank && strides.every(Number.isSafeInteger);
}

/** As text, but for what may refuse to be it. */
function formatNumber(value: unknown): string {
  return typeof value === 'number' ? String(value) : typeof value;
}

function memoryLength(op: string, argument: string, tensor: TensorLike): number {
  const data: unknown = tensor?.data;
  if (data === undefined || data === null || !Array.isArray(tensor.shape)) {
    throw new ArgumentError({
      op,
      argument,
      wanted: 'a tensor { data, shape }',
      got: tensor === undefined ? 'nothing' : typeof tensor,
    });
  }
  if (data instanceof DataView) {
    throw new ArgumentError({ op, argument, wanted: 'a typed array or a DeviceBuffer', got: 'a DataView' });
  }
  if (!isDeviceBuffer(tensor.data)) return tensor.data.length;
  if (tensor.data.disposed === undefined || typeof tensor.data.length !== 'number') {
    throw new ArgumentError({ op, argument, wanted: 'a typed array or a DeviceBuffer', got: typeof data });
  }
  if (tensor.data.disposed) throw new DisposedError({ op, argument, got: 'a buffer that was disposed' });
  return tensor.data.length;
}

/** A view of a detached ArrayBuffer has length 0, and no new view can be made of it. */
function throwIfDetached(op: string, argument: string, { data }: TensorLike): void {
  if (isDeviceBuffer(data) || data.length > 0) return;
  try {
    new Uint8Array(data.buffer, 0, 0);
  } catch (cause) {
    throw new DisposedError({ op, argument, got: 'an array whose ArrayBuffer was detached', cause });
  }
}
