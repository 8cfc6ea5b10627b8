/** The structural tensor every kernel takes: a typed array (or device buffer) with a shape. */
import { type ArgumentPlace, type DType, dtypeOf, type TypedArray } from './dtype.js';
import { ArgumentError, DisposedError, ShapeError } from './errors.js';

/** Memory owned by a backend: host memory seen as a typed array, or memory of a device. */
export interface DeviceBuffer {
  /** `'reference'`, `'cpu'` or `'cuda:0'`. */
  readonly device: string;
  readonly dtype: DType;
  /** Array elements (a complex number is two). */
  readonly length: number;
  /** The memory itself, where the host can see it; throws `DisposedError` after `dispose()`. */
  readonly data: TypedArray | undefined;
  readonly disposed: boolean;
  /** Gives the memory back. Views of it are unusable from then on. Idempotent. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** A tensor as kernels see it. Row-major unless `strides` says otherwise. */
export interface TensorLike {
  readonly data: TypedArray | DeviceBuffer;
  readonly shape: readonly number[];
  /** Array elements between neighbours along each axis; row-major when absent. */
  readonly strides?: readonly number[];
  /** Index of the first element in `data`; 0 when absent. */
  readonly offset?: number;
  /** Needed for `Uint16Array` (`'f16'`, `'bf16'`) and for complex pairs (`'c64'`, `'c128'`). */
  readonly dtype?: DType;
}

/** Whether `data` is a backend's buffer rather than a bare typed array. */
export function isDeviceBuffer(data: TypedArray | DeviceBuffer): data is DeviceBuffer {
  return !ArrayBuffer.isView(data);
}

/**
 * The host array behind `tensor`.
 * @throws {DisposedError} when the buffer was disposed. @throws {ArgumentError} when it lives on a device.
 */
export function hostData(op: string, argument: string, tensor: TensorLike): TypedArray {
  const { data } = tensor;
  if (!isDeviceBuffer(data)) return data;
  if (data.disposed) throw new DisposedError({ op, argument, got: 'a buffer that was disposed' });
  if (data.data === undefined) {
    throw new ArgumentError({ op, argument, wanted: 'host memory', got: `memory of ${data.device}` });
  }
  return data.data;
}

/** The dtype of `tensor`. @throws {DTypeError} as `dtypeOf`, naming `place`. */
export function tensorDType(tensor: TensorLike, place?: ArgumentPlace): DType {
  return isDeviceBuffer(tensor.data)
    ? (tensor.dtype ?? tensor.data.dtype)
    : dtypeOf(tensor.data, tensor.dtype, place);
}

/** Product of the sizes; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) count *= size;
  return count;
}

/** Row-major strides of `shape`. */
export function contiguousStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis] as number;
  }
  return strides;
}

/** Whether the elements of `tensor` follow one another in row-major order (axes of size 1 do not count). */
export function isContiguous(tensor: TensorLike): boolean {
  const { shape, strides } = tensor;
  if (strides === undefined) return true;
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] as number;
    if (size !== 1 && strides[axis] !== step) return false;
    step *= size;
  }
  return true;
}

/**
 * Checks that `tensor` has exactly `shape`; `letters` name the axes in the message, as `(B, L, D)`.
 * @throws {ShapeError}
 */
export function expectShape(
  op: string,
  argument: string,
  tensor: TensorLike,
  shape: readonly number[],
  letters?: string,
): void {
  const same =
    tensor.shape.length === shape.length && shape.every((size, axis) => size === tensor.shape[axis]);
  if (same) return;
  const wanted = letters === undefined ? formatShape(shape) : `${letters} = ${formatShape(shape)}`;
  throw new ShapeError({ op, argument, wanted, got: formatShape(tensor.shape) });
}

/** `(2, 17, 4)`, as shapes are written in messages; what is no number, by its type, since it may refuse to be text. */
export function formatShape(shape: readonly number[]): string {
  return `(${shape.map((size) => (typeof size === 'number' ? size : typeof size)).join(', ')})`;
}
