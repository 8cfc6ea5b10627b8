/** `Memory` of the `cpu` backend. It is the host's own, so uploads and downloads are copies within it. */
import {
  ArgumentError,
  allocateHostArray,
  type DeviceBuffer,
  DisposedError,
  DTypeError,
  type Memory,
  ShapeError,
  type TypedArray,
} from '@statespace/ssd-core';
import type { MemoryPool } from '../memory-pool.js';

export function cpuMemory(pool: MemoryPool): Memory {
  return {
    allocate: (dtype, length) => pool.allocate(dtype, length),
    upload(target, source, offset = 0) {
      const data = hostArray('upload', 'target', target);
      expectRange('upload', target, offset, source.length);
      if (source.constructor !== data.constructor) {
        throw new DTypeError({
          op: 'upload',
          argument: 'source',
          wanted: `a ${data.constructor.name} for ${target.dtype}`,
          got: source.constructor.name,
        });
      }
      data.set(source, offset);
    },
    download(source, offset = 0, length = source.length - offset) {
      const data = hostArray('download', 'source', source);
      expectRange('download', source, offset, length);
      const copy = allocateHostArray(source.dtype, length);
      copy.set(data.subarray(offset, offset + length));
      return copy;
    },
    synchronize() {},
    trim: () => pool.trim(),
  };
}

function hostArray(op: string, argument: string, buffer: DeviceBuffer): TypedArray {
  if (buffer.disposed) throw new DisposedError({ op, argument, got: 'a buffer that was disposed' });
  if (buffer.data === undefined) {
    throw new ArgumentError({ op, argument, wanted: 'host memory', got: `memory of ${buffer.device}` });
  }
  return buffer.data;
}

function expectRange(op: string, buffer: DeviceBuffer, offset: number, length: number): void {
  const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length);
  if (whole && offset >= 0 && length >= 0 && offset + length <= buffer.length) return;
  throw new ShapeError({
    op,
    argument: 'offset',
    wanted: `a range inside ${buffer.length} elements`,
    got: `${length} from ${offset}`,
  });
}
