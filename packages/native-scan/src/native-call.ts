/**
 * Builds the arguments of one call into the addon, in the order that binding/call.h describes: numbers, then for
 * each array its strides and offset. Sizes and formats have been checked by the shape checkers of ssd-core; what is
 * added here is what this backend asks for: float32, and unit stride where a kernel needs it (others are copied).
 */
import {
  AbortedError,
  contiguousStrides,
  type DType,
  DTypeError,
  elementCount,
  hostData,
  isContiguous,
  type TensorLike,
  type TypedArray,
  tensorDType,
} from '@statespace/ssd-core';
import type { Addon, AsyncNativeKernel, NativeArray, NativeKernel } from './addon.js';
import { addonError } from './addon-error.js';
import { CpuBuffer } from './cpu-buffer.js';
import type { MemoryPool } from './memory-pool.js';

/** What calls need: the functions, and memory for copies. */
export interface NativeRuntime {
  readonly addon: Addon;
  readonly pool: MemoryPool;
}

/** Positions in `enum class DType` of the native headers; complex tensors are real ones with a last axis of 2. */
export const dtypeCodes: Readonly<Record<DType, number>> = {
  f32: 0,
  f64: 1,
  f16: 2,
  bf16: 3,
  i32: 4,
  u8: 5,
  c64: 0,
  c128: 1,
};

/** Number arrays of finished calls. */
const spareNumbers: Float64Array[] = [];
const numbersPerCall = 256;

/** Arguments of one call. Use once: `run` or `runAsync` ends it. */
export class NativeCall {
  readonly op: string;
  readonly #runtime: NativeRuntime;
  #numbers: Float64Array;
  #count = 0;
  readonly #arrays: NativeArray[] = [];
  readonly #names: string[] = [];
  #temporaries: CpuBuffer[] | undefined;
  #buffers: CpuBuffer[] | undefined;

  constructor(runtime: NativeRuntime, op: string) {
    this.op = op;
    this.#runtime = runtime;
    this.#numbers = spareNumbers.pop() ?? new Float64Array(numbersPerCall);
  }

  number(value: number): this {
    if (this.#count === this.#numbers.length) this.#grow();
    this.#numbers[this.#count++] = value;
    return this;
  }

  flag(value: boolean | undefined): this {
    return this.number(value === true ? 1 : 0);
  }

  /** The sizes of a strided view, as rank and sizes. */
  shape(sizes: readonly number[]): this {
    this.number(sizes.length);
    for (const size of sizes) this.number(size);
    return this;
  }

  /** A float32 argument without strides of its own: contiguous, or copied to be. */
  dense(name: string, tensor: TensorLike | undefined): this {
    if (tensor === undefined) return this.#absent(name, 0);
    const ready = isContiguous(tensor) ? tensor : this.copied(name, tensor);
    return this.#push(name, this.float32(name, ready), ready.offset);
  }

  /** A float32 output, contiguous as the checks made sure. */
  output(name: string, tensor: TensorLike | undefined): this {
    if (tensor === undefined) return this.#absent(name, 0);
    return this.#push(name, this.float32(name, tensor), tensor.offset);
  }

  /** (B, L, ...) with strides along B and L; copied unless the axes behind them are contiguous. */
  sequence(name: string, tensor: TensorLike | undefined): this {
    return this.#strided(name, tensor, 2);
  }

  /** (B, ...) with a stride along B; copied unless the axes behind it are contiguous. */
  batched(name: string, tensor: TensorLike | undefined): this {
    return this.#strided(name, tensor, 1);
  }

  /** (..., D) as rows with one stride; copied unless that describes it. */
  rows(name: string, tensor: TensorLike | undefined): this {
    if (tensor === undefined) return this.#absent(name, 1);
    const rank = tensor.shape.length;
    let ready = tensor;
    let stride = rowStride(tensor);
    if (stride === undefined) {
      ready = this.copied(name, tensor);
      stride = rank === 0 ? 1 : (tensor.shape[rank - 1] as number);
    }
    this.number(stride);
    return this.#push(name, this.float32(name, ready), ready.offset);
  }

  /** Any strides, one for each axis of `tensor`. */
  view(name: string, tensor: TensorLike): this {
    this.#strides(tensor.strides ?? contiguousStrides(tensor.shape));
    return this.#push(name, this.float32(name, tensor), tensor.offset);
  }

  /** As `view`, of any format; the caller has put its dtype among the numbers. */
  typedView(name: string, tensor: TensorLike): this {
    this.#strides(tensor.strides ?? contiguousStrides(tensor.shape));
    return this.#push(name, this.#data(name, tensor), tensor.offset);
  }

  /** As `view`, stretched to `shape` by strides of 0; the checks made sure that it stretches. */
  broadcast(name: string, tensor: TensorLike, shape: readonly number[]): this {
    this.#broadcastStrides(tensor, shape);
    return this.#push(name, this.float32(name, tensor), tensor.offset);
  }

  /** As `broadcast`, of any format. */
  typedBroadcast(name: string, tensor: TensorLike, shape: readonly number[]): this {
    this.#broadcastStrides(tensor, shape);
    return this.#push(name, this.#data(name, tensor), tensor.offset);
  }

  /** A matrix or a batch of them, described by the caller. */
  matrices(name: string, tensor: TensorLike, batchStride: number, rowStride: number): this {
    this.number(batchStride).number(rowStride);
    return this.#push(name, this.float32(name, tensor), tensor.offset);
  }

  /** i32 indices, contiguous or copied to be. */
  indices(name: string, tensor: TensorLike | undefined): this {
    if (tensor === undefined) return this.#absent(name, 0);
    const ready = isContiguous(tensor) ? tensor : this.copied(name, tensor);
    return this.#push(name, this.#data(name, ready), ready.offset);
  }

  /** An i32 output. */
  indexOutput(name: string, tensor: TensorLike): this {
    return this.#push(name, this.#data(name, tensor), tensor.offset);
  }

  /** A list argument; the entries' offsets come later, with `number`. */
  list(name: string, arrays: readonly TypedArray[]): this {
    this.#names.push(name);
    this.#arrays.push(arrays);
    return this;
  }

  /** The array behind a float32 tensor. @throws {DTypeError} for another format. */
  float32(name: string, tensor: TensorLike): TypedArray {
    const data = this.#data(name, tensor);
    const fits = data instanceof Float32Array && (tensor.dtype === undefined || tensor.dtype === 'f32');
    if (fits) return data;
    throw new DTypeError({
      op: this.op,
      argument: name,
      wanted: 'f32 on the cpu backend',
      got: tensorDType(tensor),
      hint: "Use the backend 'reference' or 'auto' for other formats",
    });
  }

  /** A contiguous tensor with the entries and format of `tensor`, in memory that lives until the call has ended. */
  copied(name: string, tensor: TensorLike): TensorLike {
    const dtype = tensorDType(tensor);
    const buffer = this.#runtime.pool.allocate(dtype, elementCount(tensor.shape));
    if (this.#temporaries === undefined) this.#temporaries = [buffer];
    else this.#temporaries.push(buffer);
    const out: TensorLike = { data: buffer, shape: tensor.shape };
    new NativeCall(this.#runtime, this.op)
      .number(dtypeCodes[dtype])
      .number(dtypeCodes[dtype])
      .shape(tensor.shape)
      .typedView(name, tensor)
      .typedView(name, out)
      .run(this.#runtime.addon.copy);
    return out;
  }

  /**
   * Runs on the calling thread. `explain` may throw a better message than the code of a refusal allows.
   * @throws {StatespaceError} when the binding or the kernel refuses.
   */
  run(kernel: NativeKernel, explain?: () => void): void {
    const code = kernel(this.#numbers, ...this.#arrays);
    this.#end();
    if (code === 0) return;
    explain?.();
    throw addonError(this.op, code, this.#names);
  }

  /** Runs on a worker thread. @throws as `run`. @throws {AbortedError} */
  async runAsync(
    kernel: AsyncNativeKernel,
    signal: AbortSignal | undefined,
    explain?: () => void,
  ): Promise<void> {
    if (signal?.aborted) {
      this.#end();
      throw new AbortedError({ op: this.op, cause: signal.reason });
    }
    const cancel = signal === undefined ? undefined : new Int32Array(new SharedArrayBuffer(4));
    const abort = () => {
      if (cancel !== undefined) Atomics.store(cancel, 0, 1);
    };
    signal?.addEventListener('abort', abort, { once: true });
    const buffers = this.#buffers ?? [];
    for (const buffer of buffers) buffer.pin();
    let code: number;
    try {
      const answer = kernel(this.#numbers, cancel, ...this.#arrays);
      this.#recycleNumbers();
      code = await answer;
    } finally {
      signal?.removeEventListener('abort', abort);
      for (const buffer of buffers) buffer.unpin();
      this.#end();
    }
    if (signal?.aborted) throw new AbortedError({ op: this.op, cause: signal.reason });
    if (code === 0) return;
    explain?.();
    throw addonError(this.op, code, this.#names);
  }

  #strided(name: string, tensor: TensorLike | undefined, outer: 1 | 2): this {
    if (tensor === undefined) return this.#absent(name, outer);
    let ready = tensor;
    if (!innerContiguous(tensor, outer)) ready = this.copied(name, tensor);
    const { shape, strides } = ready;
    let inner = 1;
    for (let axis = outer; axis < shape.length; axis++) inner *= shape[axis] as number;
    if (outer === 2) this.number(strides?.[0] ?? (shape[1] as number) * inner);
    this.number(strides?.[outer - 1] ?? inner);
    return this.#push(name, this.float32(name, ready), ready.offset);
  }

  #absent(name: string, strides: number): this {
    for (let i = 0; i < strides; i++) this.number(0);
    return this.#push(name, undefined, 0);
  }

  #push(name: string, array: NativeArray, offset: number | undefined): this {
    this.#names.push(name);
    this.#arrays.push(array);
    return this.number(offset ?? 0);
  }

  #broadcastStrides(tensor: TensorLike, shape: readonly number[]): void {
    const own = tensor.strides ?? contiguousStrides(tensor.shape);
    const lead = shape.length - tensor.shape.length;
    for (let axis = 0; axis < shape.length; axis++) {
      const stretched = axis < lead || (tensor.shape[axis - lead] === 1 && shape[axis] !== 1);
      this.number(stretched ? 0 : (own[axis - lead] as number));
    }
  }

  #strides(strides: readonly number[]): void {
    for (const stride of strides) this.number(stride);
  }

  #data(name: string, tensor: TensorLike): TypedArray {
    const { data } = tensor;
    if (data instanceof CpuBuffer) {
      if (this.#buffers === undefined) this.#buffers = [data];
      else this.#buffers.push(data);
    }
    return hostData(this.op, name, tensor);
  }

  #grow(): void {
    const larger = new Float64Array(2 * this.#numbers.length);
    larger.set(this.#numbers);
    this.#numbers = larger;
  }

  #recycleNumbers(): void {
    if (this.#numbers.length > 0) spareNumbers.push(this.#numbers);
    this.#numbers = emptyNumbers;
  }

  #end(): void {
    this.#recycleNumbers();
    if (this.#temporaries === undefined) return;
    for (const buffer of this.#temporaries) buffer.dispose();
    this.#temporaries = undefined;
  }
}

const emptyNumbers = new Float64Array(0);

/** Whether the axes from `outer` on are row-major without gaps. */
function innerContiguous({ shape, strides }: TensorLike, outer: number): boolean {
  if (strides === undefined) return true;
  let step = 1;
  for (let axis = shape.length - 1; axis >= outer; axis--) {
    const size = shape[axis] as number;
    if (size !== 1 && strides[axis] !== step) return false;
    step *= size;
  }
  return true;
}

/** The one stride between rows of (..., D), or undefined when there is none. */
export function rowStride({ shape, strides }: TensorLike): number | undefined {
  const rank = shape.length;
  const dim = rank === 0 ? 1 : (shape[rank - 1] as number);
  if (strides === undefined) return dim;
  if (rank === 0) return 1;
  if (dim !== 1 && strides[rank - 1] !== 1) return undefined;
  let stride: number | undefined;
  let span = 1;
  for (let axis = rank - 2; axis >= 0; axis--) {
    const size = shape[axis] as number;
    if (size === 1) continue;
    if (stride === undefined) stride = strides[axis] as number;
    else if (strides[axis] !== stride * span) return undefined;
    span *= size;
  }
  return stride ?? dim;
}
