/** Native memory seen as a typed array. */
import { type DeviceBuffer, DisposedError, type DType, type TypedArray } from '@statespace/ssd-core';

/** What becomes of the memory at `dispose()`. `bytes` is what was asked for, also when `data` was detached since. */
export type Reclaim = (data: TypedArray, bytes: number) => void;

/** A `DeviceBuffer` of the `cpu` backend. Dropped without `dispose()`, its memory goes with the ArrayBuffer. */
export class CpuBuffer implements DeviceBuffer {
  readonly device = 'cpu';
  readonly dtype: DType;
  readonly length: number;
  readonly #bytes: number;
  readonly #reclaim: Reclaim;
  #data: TypedArray | undefined;
  #pins = 0;
  #waiting: TypedArray | undefined;

  constructor(dtype: DType, data: TypedArray, reclaim: Reclaim) {
    this.dtype = dtype;
    this.length = data.length;
    this.#bytes = data.byteLength;
    this.#data = data;
    this.#reclaim = reclaim;
  }

  get data(): TypedArray {
    if (this.#data === undefined) {
      throw new DisposedError({ op: 'DeviceBuffer.data', got: 'a buffer that was disposed' });
    }
    return this.#data;
  }

  get disposed(): boolean {
    return this.#data === undefined;
  }

  dispose(): void {
    const data = this.#data;
    if (data === undefined) return;
    this.#data = undefined;
    if (this.#pins === 0) this.#reclaim(data, this.#bytes);
    else this.#waiting = data;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Keeps the memory from being used again until `unpin`: an asynchronous call works on it. */
  pin(): void {
    this.#pins += 1;
  }

  unpin(): void {
    this.#pins -= 1;
    if (this.#pins > 0 || this.#waiting === undefined) return;
    const data = this.#waiting;
    this.#waiting = undefined;
    this.#reclaim(data, this.#bytes);
  }
}
