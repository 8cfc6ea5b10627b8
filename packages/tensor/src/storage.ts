/** Reference-counted memory under tensors: views share one storage, the last one out frees it. */
import { bytesPerElement, type DeviceBuffer, type DType, type Kernels } from '@statespace/ssd-core';

/** What tensors hold at the moment. */
export interface MemoryStats {
  /** Live storages; views do not count. */
  readonly buffers: number;
  readonly bytes: number;
  /** Largest `bytes` since the last `resetPeakMemory()`. */
  readonly peakBytes: number;
}

let liveBuffers = 0;
let liveBytes = 0;
let peakBytes = 0;

// Only a net for handles that were dropped without dispose() or a scope: Node runs finalisers after the event
// loop turns, so a synchronous loop must not lean on them. Held by buffer, since the storage is what died.
const net = new FinalizationRegistry<DeviceBuffer>(giveBack);

function giveBack(buffer: DeviceBuffer): void {
  liveBuffers -= 1;
  liveBytes -= buffer.length * bytesPerElement(buffer.dtype);
  buffer.dispose();
}

/** Memory of one or more tensors. */
export class Storage {
  /** Counts changes in place, so that backward notices that a saved value is no longer what it was. */
  version = 0;
  /** Tensors and graph nodes that hold this storage. */
  references = 1;
  private watched = false;

  constructor(
    readonly kernels: Kernels,
    readonly buffer: DeviceBuffer,
  ) {
    liveBuffers += 1;
    liveBytes += buffer.length * bytesPerElement(buffer.dtype);
    if (liveBytes > peakBytes) peakBytes = liveBytes;
  }

  static allocate(kernels: Kernels, dtype: DType, length: number): Storage {
    return new Storage(kernels, kernels.allocate(dtype, length));
  }

  retain(): this {
    this.references += 1;
    return this;
  }

  release(): void {
    this.references -= 1;
    if (this.references > 0) return;
    if (this.watched) net.unregister(this);
    giveBack(this.buffer);
  }

  /** Lets the garbage collector free the memory should nobody else do it. */
  watch(): void {
    if (this.watched) return;
    this.watched = true;
    net.register(this, this.buffer, this);
  }
}

/** Buffers and bytes that live tensors hold now. */
export function memoryStats(): MemoryStats {
  return { buffers: liveBuffers, bytes: liveBytes, peakBytes };
}

/** Starts a new measurement of `peakBytes`. */
export function resetPeakMemory(): void {
  peakBytes = liveBytes;
}
