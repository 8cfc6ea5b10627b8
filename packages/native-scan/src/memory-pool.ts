/**
 * Memory of the `cpu` backend: 64-byte aligned native blocks behind external ArrayBuffers.
 *
 * An external ArrayBuffer costs microseconds to make, and Node runs finalizers only when the event loop turns, so
 * buffers of the tensor layer (`allocate`) keep theirs: `dispose()` puts the block, with its ArrayBuffer, on a free
 * list of its size class, and the next `allocate` takes it from there. A typed array kept beyond `dispose()` then
 * shows the memory's next use; it never reaches freed memory, because the ArrayBuffer holds the block.
 */
import { totalmem } from 'node:os';
import {
  bytesPerElement,
  type DType,
  encodeBfloat16,
  encodeFloat16,
  OutOfMemoryError,
  ShapeError,
  type TypedArray,
} from '@statespace/ssd-core';
import type { Addon } from './addon.js';
import { refusal, refusalReason } from './addon-error.js';
import { CpuBuffer, type Reclaim } from './cpu-buffer.js';

type ArrayConstructor = new (buffer: ArrayBuffer, byteOffset: number, length: number) => TypedArray;

const constructors: Readonly<Record<DType, ArrayConstructor>> = {
  f32: Float32Array,
  f64: Float64Array,
  f16: Uint16Array,
  bf16: Uint16Array,
  i32: Int32Array,
  u8: Uint8Array,
  c64: Float32Array,
  c128: Float64Array,
};

/** What fresh memory holds under STATESPACE_POISON=1, so that an entry nobody wrote shows. */
const poisonValues: Readonly<Record<DType, number>> = {
  f32: Number.NaN,
  f64: Number.NaN,
  f16: encodeFloat16(Number.NaN),
  bf16: encodeBfloat16(Number.NaN),
  i32: -0x5eadbeef,
  u8: 0xa5,
  c64: Number.NaN,
  c128: Number.NaN,
};

/**
 * Free lists and buffers in use may hold twice the peak of use and this slack before the free lists are given back.
 * Buffers that were dropped without `dispose()` count as in use, hence the second limit.
 */
const cacheSlack = 64 * 1024 * 1024;
const cacheLimit = totalmem() / 4;

/** Native memory, pooled. */
export class MemoryPool {
  readonly #addon: Addon;
  readonly #poison: boolean;
  readonly #free = new Map<number, TypedArray[]>();
  #used = 0;
  #cached = 0;
  #peak = 0;

  constructor(addon: Addon, poison: boolean) {
    this.#addon = addon;
    this.#poison = poison;
  }

  /** A pooled buffer; its ArrayBuffer survives `dispose()`. @throws {ShapeError | OutOfMemoryError} */
  allocate(dtype: DType, length: number): CpuBuffer {
    const bytes = this.#bytesOf(dtype, length);
    if (bytes === 0) return this.#empty(dtype);
    const capacity = sizeClass(bytes);
    const kept = this.#free.get(capacity)?.pop();
    let data: TypedArray;
    if (kept === undefined) {
      data = new constructors[dtype](this.#block(dtype, length, capacity), 0, length);
    } else {
      this.#cached -= capacity;
      data =
        kept.length === length && kept.constructor === constructors[dtype]
          ? kept
          : new constructors[dtype](kept.buffer as ArrayBuffer, 0, length);
    }
    this.#used += capacity;
    if (this.#used > this.#peak) this.#peak = this.#used;
    if (this.#poison) data.fill(poisonValues[dtype]);
    return new CpuBuffer(dtype, data, this.#recycle);
  }

  /** A buffer whose ArrayBuffer is detached by `dispose()`, so that no view outlives it. @throws as `allocate`. */
  allocateDetaching(dtype: DType, length: number): CpuBuffer {
    const bytes = this.#bytesOf(dtype, length);
    if (bytes === 0) return this.#empty(dtype);
    const data = new constructors[dtype](this.#block(dtype, length, sizeClass(bytes)), 0, length);
    if (this.#poison) data.fill(poisonValues[dtype]);
    return new CpuBuffer(dtype, data, (last) => {
      this.#addon.release(last.buffer as ArrayBuffer);
    });
  }

  /** Gives the free lists and the cache under them back to the system. */
  trim(): void {
    this.#emptyFreeLists();
    this.#addon.trimMemory();
  }

  readonly #recycle: Reclaim = (data, bytes) => {
    const capacity = sizeClass(bytes);
    this.#used -= capacity;
    // Detached or transferred by somebody else: the engine gives the memory back.
    if (data.buffer.byteLength !== capacity) return;
    this.#cached += capacity;
    const list = this.#free.get(capacity);
    if (list === undefined) this.#free.set(capacity, [data]);
    else list.push(data);
    // A program whose sizes keep changing would otherwise collect blocks that fit nothing any more.
    if (this.#cached > Math.min(2 * this.#peak - this.#used + cacheSlack, cacheLimit)) this.trim();
  };

  #emptyFreeLists(): void {
    for (const list of this.#free.values()) {
      for (const data of list) this.#addon.release(data.buffer as ArrayBuffer);
    }
    this.#free.clear();
    this.#cached = 0;
    this.#peak = this.#used;
  }

  #empty(dtype: DType): CpuBuffer {
    return new CpuBuffer(dtype, new constructors[dtype](new ArrayBuffer(0), 0, 0), () => {});
  }

  #bytesOf(dtype: DType, length: number): number {
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new ShapeError({
        op: 'allocate',
        argument: 'length',
        wanted: 'an integer of 0 or more',
        got: String(length),
      });
    }
    return length * bytesPerElement(dtype);
  }

  #block(dtype: DType, length: number, capacity: number): ArrayBuffer {
    const got = this.#addon.allocate(capacity);
    if (typeof got !== 'number') return got;
    try {
      // Engines such as Electron's forbid external memory; the JavaScript heap serves, copied in async calls.
      if (refusalReason(got) === refusal.noExternalBuffers) return new ArrayBuffer(capacity);
    } catch (cause) {
      throw outOfMemory(dtype, length, cause);
    }
    throw outOfMemory(dtype, length);
  }
}

function outOfMemory(dtype: DType, length: number, cause?: unknown): OutOfMemoryError {
  return new OutOfMemoryError({ op: 'allocate', got: `${length} elements of ${dtype}`, cause });
}

/** `bytes` rounded up to a multiple of 64, or of between a sixteenth and an eighth of itself. */
export function sizeClass(bytes: number): number {
  let step = 64;
  while (step * 16 < bytes) step *= 2;
  return Math.ceil(bytes / step) * step;
}
