/** Memory of the `reference` backend: typed arrays of the JavaScript heap. */
import type { Memory } from '../backend.js';
import { allocateHostArray, type DType, type TypedArray } from '../dtype.js';
import { ArgumentError, DisposedError, DTypeError, ShapeError } from '../errors.js';
import { encodeBfloat16, encodeFloat16 } from '../half-floats.js';
import type { DeviceBuffer } from '../tensor-like.js';

/**
 * What fresh memory holds when `STATESPACE_POISON=1`: JavaScript arrays start at zero, which would hide an entry that
 * a kernel forgets to write.
 */
const poison: Readonly<Record<DType, number>> = {
  f32: Number.NaN,
  f64: Number.NaN,
  f16: encodeFloat16(Number.NaN),
  bf16: encodeBfloat16(Number.NaN),
  i32: -0x5eadbeef,
  u8: 0xa5,
  c64: Number.NaN,
  c128: Number.NaN,
};

class ReferenceBuffer implements DeviceBuffer {
  readonly device = 'reference';
  readonly dtype: DType;
  readonly length: number;
  #data: TypedArray | undefined;

  constructor(dtype: DType, data: TypedArray) {
    this.dtype = dtype;
    this.length = data.length;
    this.#data = data;
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
    this.#data = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** The memory methods of the reference kernels. The garbage collector does what `trim` asks for. */
export const referenceMemory: Memory = {
  allocate(dtype, length) {
    expectCount('allocate', 'length', length);
    const data = allocateHostArray(dtype, length);
    if (process.env.STATESPACE_POISON === '1') data.fill(poison[dtype]);
    return new ReferenceBuffer(dtype, data);
  },

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
    return data.slice(offset, offset + length);
  },

  synchronize() {},

  trim() {},
};

function hostArray(op: string, argument: string, buffer: DeviceBuffer): TypedArray {
  if (buffer.disposed) throw new DisposedError({ op, argument, got: 'a buffer that was disposed' });
  if (buffer.data === undefined) {
    throw new ArgumentError({ op, argument, wanted: 'host memory', got: `memory of ${buffer.device}` });
  }
  return buffer.data;
}

function expectRange(op: string, buffer: DeviceBuffer, offset: number, length: number): void {
  expectCount(op, 'offset', offset);
  expectCount(op, 'length', length);
  if (offset + length <= buffer.length) return;
  throw new ShapeError({
    op,
    argument: 'offset',
    wanted: `a range inside ${buffer.length} elements`,
    got: `${length} from ${offset}`,
  });
}

function expectCount(op: string, argument: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new ShapeError({ op, argument, wanted: 'an integer of 0 or more', got: String(value) });
}
