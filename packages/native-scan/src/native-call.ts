/**
 * Builds the arguments of one call into the addon, in the order that binding/call.h describes: numbers, then for
 * each array its strides and offset. Sizes and formats have been checked by the shape checkers of ssd-core; what is
 * added here is what this backend asks for: the precision of the call, and unit stride where a kernel needs it. Tensors
 * with a length go in as they are; of other tensors that do not fit, a copy does.
 */
import {
  AbortedError,
  checkView,
  contiguousStrides,
  type DType,
  DTypeError,
  dtypeOf,
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

/** Formats of tensors with a length, of calls that compute in float32 and in float64. */
const sequenceDTypes = {
  f32: ['f32', 'f16', 'bf16', 'c64'],
  f64: ['f32', 'f64', 'f16', 'bf16', 'c64', 'c128'],
} as const satisfies Record<string, readonly DType[]>;

/** Formats of parameters that are used as they are. */
const parameterDTypes = { f32: ['f32', 'c64'], f64: ['f64', 'c128'] } as const satisfies Record<
  string,
  readonly DType[]
>;

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
  #copiesBack: CopyBack[] | undefined;
  #mirrored = false;
  #precision: 'f32' | 'f64' = 'f32';
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

  /** Computes in float64 where any of `tensors` holds it, and says so in a number. */
  precision(tensors: readonly (TensorLike | undefined)[]): this {
    this.#precision = tensors.some((tensor) => tensor !== undefined && isWide(tensor)) ? 'f64' : 'f32';
    return this.flag(this.#precision === 'f64');
  }

  /** What `precision` chose; float32 before it. */
  get computesIn(): 'f32' | 'f64' {
    return this.#precision;
  }

  /** From here on tensors with a length are seen backwards in time. */
  mirrored(yes: boolean | undefined): this {
    this.#mirrored = yes === true;
    return this;
  }

  /**
   * An input (B, L, inner) or (B, L, outer, inner) of any strides and float format. `pairs`: with a last axis of 2
   * behind it, whose two elements are neighbours or copied to be.
   */
  sequence(name: string, tensor: TensorLike | undefined, pairs = false): this {
    if (tensor === undefined) return this.#absent(name, 5);
    return this.#sequence(name, pairs && splitPairs(tensor) ? this.copied(name, tensor) : tensor, pairs);
  }

  /** As `sequence`, an output whose elements are separate. */
  sequenceOutput(name: string, tensor: TensorLike | undefined, pairs = false): this {
    if (tensor === undefined) return this.#absent(name, 5);
    return this.#sequence(name, pairs && splitPairs(tensor) ? this.#detour(tensor) : tensor, pairs);
  }

  /** As `sequence`, in the call's precision and without gaps behind the length, or copied to be. */
  steps(name: string, tensor: TensorLike): this {
    return this.#sequence(name, this.#inPrecision(name, tensor, 2), false);
  }

  /** A parameter or state, contiguous and in the call's precision, or copied to be. */
  parameter(name: string, tensor: TensorLike | undefined): this {
    if (tensor === undefined) return this.#absent(name, 0);
    const ready = this.#inPrecision(name, tensor, 0);
    return this.#push(name, this.#data(name, ready), ready.offset);
  }

  /** The gradient of a parameter, or a state: contiguous; through memory in the call's precision unless it has that. */
  result(name: string, tensor: TensorLike | undefined): this {
    if (tensor === undefined) return this.#absent(name, 0);
    this.#expectNarrower(name, tensor);
    const fits = this.#isParameter(tensor) && isContiguous(tensor);
    const ready = fits ? tensor : this.#detour(tensor, this.#precision);
    return this.#push(name, this.#data(name, ready), ready.offset);
  }

  /** A state that is read and written, as `result`. */
  update(name: string, tensor: TensorLike): this {
    if (this.#isParameter(tensor)) return this.result(name, tensor);
    const ready = this.#inPrecision(name, tensor, 0);
    this.#returnLater(ready, tensor);
    return this.#push(name, this.#data(name, ready), ready.offset);
  }

  /** (B, ...) in the call's precision with a stride along B; copied unless that describes it. */
  batched(name: string, tensor: TensorLike | undefined): this {
    if (tensor === undefined) return this.#absent(name, 1);
    const ready = this.#inPrecision(name, tensor, 1);
    this.number(ready.strides?.[0] ?? innerSize(ready.shape, 1));
    return this.#push(name, this.#data(name, ready), ready.offset);
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
    throw this.#wrongFormat(name, tensor, ['f32']);
  }

  #wrongFormat(name: string, tensor: TensorLike, formats: readonly DType[]): DTypeError {
    return new DTypeError({
      op: this.op,
      argument: name,
      wanted: `${formats.join(' or ')} on the cpu backend`,
      got: tensorDType(tensor),
      hint: "Use the backend 'reference' or 'auto' for other formats",
    });
  }

  /** A contiguous tensor with the entries of `tensor`, in memory that lives until the call has ended. */
  copied(name: string, tensor: TensorLike, dtype = tensorDType(tensor)): TensorLike {
    const out = this.#temporary(tensor.shape, dtype);
    copyTensor(this.#runtime, this.op, name, tensor, out);
    return out;
  }

  /**
   * Runs on the calling thread. `explain` may throw a better message than the code of a refusal allows.
   * @throws {StatespaceError} when the binding or the kernel refuses.
   */
  run(kernel: NativeKernel, explain?: () => void): void {
    const code = kernel(this.#numbers, ...this.#arrays);
    this.#finish(code, explain);
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
    let code = 0;
    try {
      const answer = kernel(this.#numbers, cancel, ...this.#arrays);
      this.#recycleNumbers();
      code = await answer;
    } finally {
      signal?.removeEventListener('abort', abort);
      for (const buffer of buffers) buffer.unpin();
      if (signal?.aborted) this.#end();
    }
    if (signal?.aborted) throw new AbortedError({ op: this.op, cause: signal.reason });
    this.#finish(code, explain);
  }

  /** Puts results where the caller wants them, or throws what `code` means. */
  #finish(code: number, explain: (() => void) | undefined): void {
    try {
      if (code === 0) {
        for (const { from, to } of this.#copiesBack ?? [])
          copyTensor(this.#runtime, this.op, 'out', from, to);
        return;
      }
    } finally {
      this.#end();
    }
    explain?.();
    throw addonError(this.op, code, this.#names);
  }

  #sequence(name: string, tensor: TensorLike, pairs: boolean): this {
    const { shape } = tensor;
    const strides = tensor.strides ?? contiguousStrides(shape);
    const rank = shape.length - (pairs ? 1 : 0);
    const [batchStride, step] = strides as [number, number];
    const turned = this.#mirrored && (shape[1] as number) > 0;
    const dtype = tensorDType(tensor);
    const formats: readonly DType[] = sequenceDTypes[this.#precision];
    if (!formats.includes(dtype)) throw this.#wrongFormat(name, tensor, ['f32', 'f16', 'bf16']);
    this.number(dtypeCodes[dtype]);
    this.number(batchStride).number(turned ? -step : step);
    this.number(rank === 4 ? (strides[2] as number) : 0).number(strides[rank - 1] as number);
    const offset = (tensor.offset ?? 0) + (turned ? ((shape[1] as number) - 1) * step : 0);
    return this.#push(name, this.#data(name, tensor), offset);
  }

  /** `tensor` itself where it has the call's precision and is row-major behind its first `outer` axes, else a copy. */
  #inPrecision(name: string, tensor: TensorLike, outer: 0 | 1 | 2): TensorLike {
    if (this.#isParameter(tensor) && innerContiguous(tensor, outer)) return tensor;
    this.#expectNarrower(name, tensor);
    return this.copied(name, tensor, this.#precision);
  }

  #isParameter(tensor: TensorLike): boolean {
    const formats: readonly DType[] = parameterDTypes[this.#precision];
    return formats.includes(tensorDType(tensor));
  }

  /** Nothing is rounded on its way in. @throws {DTypeError} */
  #expectNarrower(name: string, tensor: TensorLike): void {
    if (this.#precision === 'f32' && isWide(tensor)) throw this.#wrongFormat(name, tensor, ['f32']);
  }

  /** Memory that stands in for the output `tensor`, which gets its contents in the end. */
  #detour(tensor: TensorLike, dtype = tensorDType(tensor)): TensorLike {
    const standIn = this.#temporary(tensor.shape, dtype);
    this.#returnLater(standIn, tensor);
    return standIn;
  }

  #returnLater(from: TensorLike, to: TensorLike): void {
    // A buffer of somebody else's may claim a format or a length that its memory has not: better now than after the call.
    const data = hostData(this.op, 'out', to);
    dtypeOf(data, tensorDType(to));
    checkView(this.op, 'out', { ...to, data });
    if (this.#copiesBack === undefined) this.#copiesBack = [{ from, to }];
    else this.#copiesBack.push({ from, to });
  }

  #temporary(shape: readonly number[], dtype: DType): TensorLike {
    const buffer = this.#runtime.pool.allocate(dtype, elementCount(shape));
    if (this.#temporaries === undefined) this.#temporaries = [buffer];
    else this.#temporaries.push(buffer);
    return { data: buffer, shape, dtype };
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

/** What a finished call copies where the caller wants it. */
interface CopyBack {
  readonly from: TensorLike;
  readonly to: TensorLike;
}

/** out = x, of any strides and formats. @throws {StatespaceError} for memory that went away meanwhile. */
function copyTensor(runtime: NativeRuntime, op: string, name: string, x: TensorLike, out: TensorLike): void {
  new NativeCall(runtime, op)
    .number(dtypeCodes[tensorDType(x)])
    .number(dtypeCodes[tensorDType(out)])
    .shape(x.shape)
    .typedView(name, x)
    .typedView(name, out)
    .run(runtime.addon.copy);
}

/** Whether `tensor` holds numbers of 64 bits. */
function isWide(tensor: TensorLike): boolean {
  const dtype = tensorDType(tensor);
  return dtype === 'f64' || dtype === 'c128';
}

/** Whether the two elements of a pair are not neighbours. */
function splitPairs({ shape, strides }: TensorLike): boolean {
  return strides !== undefined && strides[shape.length - 1] !== 1;
}

/** Elements behind the first `outer` axes. */
function innerSize(shape: readonly number[], outer: number): number {
  let size = 1;
  for (let axis = outer; axis < shape.length; axis++) size *= shape[axis] as number;
  return size;
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
