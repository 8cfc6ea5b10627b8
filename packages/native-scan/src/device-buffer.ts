/** Native memory for callers who keep their data there. */
import {
  ArgumentError,
  checkDType,
  createReferenceKernels,
  type DeviceBuffer,
  type DType,
  dtypeOf,
  type TypedArray,
} from '@statespace/ssd-core';
import { loadUnlessUnwanted } from './loader.js';
import { nativeRuntime } from './runtime.js';

/**
 * Memory of the best backend: 64-byte aligned, seen through `data` as a typed array, usable as `data` of every
 * tensor argument, and worked on in place by asynchronous calls.
 *
 * `dispose()` gives the memory back at once and detaches `data`, so that views of it have length 0 from then on; a
 * call under way keeps the memory until it ends. A buffer that is dropped without `dispose()` is freed by the
 * garbage collector, which runs late: it sees the small object, though the memory does count as external.
 *
 * @param dtype Format of the elements.
 * @param source Number of elements (contents undefined), or an array to copy.
 * @throws {DTypeError} for a `dtype` that is none, and an array that does not hold it.
 * @throws {ShapeError} for a length that is no size.
 * @throws {OutOfMemoryError}
 * @example
 * const weights = createDeviceBuffer('f32', new Float32Array([1, 2, 3]));
 * weights.data.length; // 3
 * weights.dispose();
 */
export function createDeviceBuffer(dtype: DType, source: number | TypedArray): DeviceBuffer {
  checkDType('createDeviceBuffer', dtype);
  const length = typeof source === 'number' ? source : checkedSource(dtype, source).length;
  const native = loadUnlessUnwanted().addon !== undefined;
  const buffer = native
    ? nativeRuntime('createDeviceBuffer').pool.allocateDetaching(dtype, length)
    : createReferenceKernels().allocate(dtype, length);
  if (typeof source !== 'number') buffer.data?.set(source);
  return buffer;
}

function checkedSource(dtype: DType, source: TypedArray): TypedArray {
  if (!ArrayBuffer.isView(source)) {
    throw new ArgumentError({
      op: 'createDeviceBuffer',
      argument: 'source',
      wanted: 'a number of elements or a typed array',
      got: typeof source,
    });
  }
  dtypeOf(source, dtype);
  return source;
}
