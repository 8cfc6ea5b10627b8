/** The eager tensor: a strided view of shared memory, with the graph of what it was made from. */
import {
  ArgumentError,
  contiguousStrides,
  type DeviceBuffer,
  type DType,
  elementCount,
  formatShape,
  isContiguous,
  type Kernels,
  type TensorLike,
  type TypedArray,
} from '@statespace/ssd-core';
import { backward } from './autograd/backward.js';
import { checkUsable, type GraphNode } from './autograd/graph.js';
import { fill, overwrite, toHost } from './host.js';
import { track } from './scope.js';
import type { Shape } from './shape.js';
import type { Storage } from './storage.js';
import { TensorOps } from './tensor-ops.js';

/**
 * A tensor. Made by `tensor()`, `zeros()`, `randn()` ... and by ops, never by its constructor.
 * Methods that return a tensor leave this one as it is, unless they say "in place".
 */
export class Tensor extends TensorOps implements TensorLike {
  readonly shape: Shape;
  /** Array elements between neighbours along each axis. */
  readonly strides: Shape;
  /** Index of the first element in `data`. */
  readonly offset: number;
  readonly dtype: DType;
  /** The memory, shared with views. An own property, so that `{ ...tensor, shape }` is a TensorLike as well. */
  readonly data: DeviceBuffer;
  /** @internal */
  readonly storage: Storage;
  /** @internal */
  readonly kernels: Kernels;
  /** @internal What this tensor was made by; undefined for leaves. */
  node: GraphNode | undefined = undefined;
  /** @internal Which output of `node`. */
  nodeOutput = 0;
  /** @internal Outlives scopes. */
  pinned = false;
  /** @internal Is, or was made from, a gradient. */
  isGradient = false;
  private leafRequiresGrad = false;
  private gradient: Tensor | undefined = undefined;
  private gone = false;

  /** @internal Takes one reference of `storage` over. */
  constructor(storage: Storage, shape: Shape, strides?: Shape, offset = 0, tracked = true) {
    super();
    this.storage = storage;
    this.kernels = storage.kernels;
    this.data = storage.buffer;
    this.dtype = storage.buffer.dtype;
    this.shape = shape;
    this.strides = strides ?? contiguousStrides(shape);
    this.offset = offset;
    if (tracked) track(this);
  }

  /** Number of elements. */
  get size(): number {
    return elementCount(this.shape);
  }
  /** Number of axes. */
  get rank(): number {
    return this.shape.length;
  }
  /** `'reference'`, `'cpu'` or `'cuda:0'`. */
  get device(): string {
    return this.kernels.device;
  }
  /** Whether the elements follow one another in row-major order. */
  get isContiguous(): boolean {
    return isContiguous(this);
  }
  get disposed(): boolean {
    return this.gone;
  }

  /** Whether `backward()` of a result computes a gradient for this tensor. */
  get requiresGrad(): boolean {
    return this.leafRequiresGrad || this.node !== undefined;
  }
  set requiresGrad(wanted: boolean) {
    const op = 'requiresGrad';
    if (this.node !== undefined) {
      if (wanted) return;
      throw new ArgumentError({ op, wanted: 'a leaf', got: 'the result of an op', hint: 'Use detach()' });
    }
    if (wanted && this.dtype !== 'f32' && this.dtype !== 'f64') {
      throw new ArgumentError({ op, wanted: 'a tensor of f32 or f64', got: this.dtype });
    }
    this.leafRequiresGrad = wanted;
  }

  /** Sum of the gradients of every `backward()` since it was last set to undefined. Leaves only. */
  get grad(): Tensor | undefined {
    return this.gradient;
  }
  set grad(value: Tensor | undefined) {
    if (value === this.gradient) return;
    this.gradient?.dispose();
    this.gradient = value;
    if (value === undefined) return;
    value.pinned = true;
    value.isGradient = true;
    value.storage.watch();
  }

  /** @internal A handle on the same memory that no scope and no graph knows. */
  alias(): Tensor {
    return this.view(this.shape, this.strides, this.offset, false);
  }
  /** @internal Another view of the same memory, outside the graph. */
  view(shape: Shape, strides?: Shape, offset = this.offset, tracked = true): Tensor {
    if (this.gone) checkUsable('tensor', 'view', this);
    return new Tensor(this.storage.retain(), shape, strides, offset, tracked);
  }
  /** @internal Makes this tensor output `output` of `node`. */
  attach(node: GraphNode, output: number): void {
    this.node = node;
    this.nodeOutput = output;
    node.references += 1;
  }

  /**
   * Adds the gradient of this tensor to the `grad` of every leaf it depends on, and frees the graph.
   * @throws {ArgumentError} when there is no graph, or it was used before.
   */
  backward(grad?: Tensor): void {
    backward(this, grad);
  }

  /** Gives the memory back, unless a view, or a graph that needs it, still uses it. Idempotent. */
  dispose(): void {
    if (this.gone) return;
    this.gone = true;
    this.gradient?.dispose();
    this.gradient = undefined;
    this.node?.release();
    this.node = undefined;
    this.storage.release();
  }
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Such as `Tensor f32 (2, 3) on cpu`. */
  override toString(): string {
    return `${this.constructor.name} ${this.dtype} ${formatShape(this.shape)} on ${this.device}`;
  }
  /** What `console.log` shows: not the numbers, which may be many and far away. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.gone ? `${this} (disposed)` : String(this);
  }

  /** The only element. @throws {ArgumentError} when there are more. */
  item(): number {
    if (this.size !== 1) {
      throw new ArgumentError({ op: 'item', wanted: 'one element', got: `shape ${formatShape(this.shape)}` });
    }
    return toHost(this)[0] as number;
  }
  /** A host copy of the elements, row-major. */
  toArray(): TypedArray {
    return toHost(this);
  }
  /** Overwrites the elements in place. @throws {ShapeError} @throws {DTypeError} */
  copyFrom(source: Tensor | TypedArray): this {
    overwrite(this, source);
    return this;
  }
  /** Sets every element in place. */
  fill(value: number): this {
    fill(this, value);
    return this;
  }
}
