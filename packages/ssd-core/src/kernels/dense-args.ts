/**
 * Arguments of the dense kernels under tensors and optimisers.
 *
 * Outputs are preallocated by the caller and wholly overwritten, unless a field says that it accumulates.
 * Index tensors are i32. "Any strides" means that views work; every other argument is contiguous.
 */
import type { TensorLike } from '../tensor-like.js';

export type UnaryOp =
  | 'neg'
  | 'abs'
  | 'square'
  | 'sqrt'
  | 'rsqrt'
  | 'reciprocal'
  | 'exp'
  | 'expm1'
  | 'log'
  | 'log1p'
  | 'sin'
  | 'cos'
  | 'tanh'
  | 'sigmoid'
  | 'logSigmoid'
  | 'silu'
  | 'softplus'
  | 'relu'
  | 'gelu'
  | 'geluTanh';

export interface UnaryArgs {
  readonly op: UnaryOp;
  /** Any strides. */
  readonly x: TensorLike;
  readonly out: TensorLike;
}

/** gradX = gradOut * op'(x). `softplus` is linear above 20; `relu` has gradient 0 at 0. */
export interface UnaryBackwardArgs {
  readonly op: UnaryOp;
  /** Any strides. */
  readonly x: TensorLike;
  readonly gradOut: TensorLike;
  readonly gradX: TensorLike;
}

export type BinaryOp = 'add' | 'sub' | 'mul' | 'div' | 'maximum' | 'minimum';

/** out = a op b with NumPy broadcasting to the shape of `out`; `a`, `b` of any strides (0 included). */
export interface BinaryArgs {
  readonly op: BinaryOp;
  readonly a: TensorLike;
  readonly b: TensorLike;
  readonly out: TensorLike;
}

/** out = alpha * x + beta. */
export interface AffineArgs {
  /** Any strides. */
  readonly x: TensorLike;
  readonly alpha: number;
  readonly beta: number;
  readonly out: TensorLike;
}

/** out = x, converted to out's dtype; both of any strides (`x` may broadcast with stride 0). */
export interface CopyArgs {
  readonly x: TensorLike;
  readonly out: TensorLike;
}

/** out += x; same shape, both of any strides. */
export interface AccumulateArgs {
  readonly x: TensorLike;
  readonly out: TensorLike;
}

export interface FillArgs {
  /** Any strides. */
  readonly out: TensorLike;
  readonly value: number;
}

/** Reduction over `axes`; `out` has size 1 there (or leaves them out). Sums run in a fixed order. */
export interface ReduceArgs {
  readonly op: 'sum' | 'mean' | 'max';
  /** Any strides. */
  readonly x: TensorLike;
  readonly axes: readonly number[];
  readonly out: TensorLike;
}

/** Largest entry along the last axis; ties go to the lower index. */
export interface ArgmaxArgs {
  readonly x: TensorLike;
  /** i32, shape of x without its last axis. */
  readonly out: TensorLike;
}

/**
 * out = activation(op(a) op(b) + bias), or out += op(a) op(b) when `accumulate`.
 * a (..., M, K) or transposed (..., K, M); b (..., K, N) or transposed (..., N, K); out (..., M, N).
 * Leading axes are equal, or absent in `b` (then shared). Inputs need unit stride along their last axis.
 */
export interface GemmArgs {
  readonly a: TensorLike;
  readonly b: TensorLike;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly out: TensorLike;
  readonly accumulate?: boolean;
  /** (N) */
  readonly bias?: TensorLike;
  readonly activation?: 'none' | 'silu';
}

/**
 * out = y * rsqrt(mean_group(y^2) + eps) * weight, with y = x * SiLU(gate) where a gate is given.
 * x, gate, out (..., D); weight (D); groups of `groupSize` channels (default D) are normalised apart.
 */
export interface RmsNormInputs {
  /** Unit stride along the last axis. */
  readonly x: TensorLike;
  readonly weight: TensorLike;
  /** Unit stride along the last axis. */
  readonly gate?: TensorLike;
  /** Gate before the norm (default, Mamba-2) or after it: out = norm(x) * weight * SiLU(gate). */
  readonly gateAfterNorm?: boolean;
  readonly groupSize?: number;
  readonly eps: number;
}

export interface RmsNormArgs extends RmsNormInputs {
  readonly out: TensorLike;
}

export interface RmsNormBackwardArgs extends RmsNormInputs {
  readonly gradOut: TensorLike;
  readonly gradX?: TensorLike;
  readonly gradWeight?: TensorLike;
  readonly gradGate?: TensorLike;
}

/** out = (x - mean) * rsqrt(var + eps) * weight + bias over the last axis, biased variance. */
export interface LayerNormInputs {
  readonly x: TensorLike;
  readonly weight?: TensorLike;
  readonly bias?: TensorLike;
  readonly eps: number;
}

export interface LayerNormArgs extends LayerNormInputs {
  readonly out: TensorLike;
}

export interface LayerNormBackwardArgs extends LayerNormInputs {
  readonly gradOut: TensorLike;
  readonly gradX?: TensorLike;
  readonly gradWeight?: TensorLike;
  readonly gradBias?: TensorLike;
}

/** Softmax, or its logarithm, over the last axis. */
export interface SoftmaxArgs {
  readonly x: TensorLike;
  readonly log?: boolean;
  readonly out: TensorLike;
}

export interface SoftmaxBackwardArgs {
  /** The forward result. */
  readonly out: TensorLike;
  readonly log?: boolean;
  readonly gradOut: TensorLike;
  readonly gradX: TensorLike;
}

/** Cross-entropy of logits (M, V) against `targets` i32 (M); targets equal to `ignoreIndex` do not count. */
export interface CrossEntropyInputs {
  readonly logits: TensorLike;
  readonly targets: TensorLike;
  /** Default -100. */
  readonly ignoreIndex?: number;
  /** Weight of the uniform distribution in the target, 0 (default) to 1. */
  readonly labelSmoothing?: number;
}

export interface CrossEntropyArgs extends CrossEntropyInputs {
  /** Loss of each row, (M); 0 where ignored. */
  readonly losses: TensorLike;
}

export interface CrossEntropyBackwardArgs extends CrossEntropyInputs {
  /** Gradient of each row's loss, (M). */
  readonly gradLosses: TensorLike;
  readonly gradLogits: TensorLike;
}

/**
 * Output head and mean cross-entropy in one pass that never holds all logits:
 * logits = x weight^T + bias, loss = mean over counted rows of CE(logits, targets).
 * The gradients of that mean are made in the same pass, where their outputs are given.
 */
export interface LinearCrossEntropyArgs {
  /** (M, K), unit stride along the last axis. */
  readonly x: TensorLike;
  /** (V, K) */
  readonly weight: TensorLike;
  /** (V) */
  readonly bias?: TensorLike;
  /** i32 (M), each in [0, V) or equal to `ignoreIndex`. */
  readonly targets: TensorLike;
  /** Default -100. */
  readonly ignoreIndex?: number;
  /** Mean loss, (1); 0 when no row counts. */
  readonly loss: TensorLike;
  /** Rows that count and whose largest logit is the target, f32 (1). */
  readonly correct?: TensorLike;
  readonly gradX?: TensorLike;
  readonly gradWeight?: TensorLike;
  readonly gradBias?: TensorLike;
}

/** out[m] = weight[ids[m]]; weight (V, K), ids i32 (M), out (M, K). */
export interface EmbeddingArgs {
  readonly weight: TensorLike;
  readonly ids: TensorLike;
  readonly out: TensorLike;
}

/** gradWeight[v] += sum of gradOut[m] over ids[m] = v, in order of m; accumulates. */
export interface EmbeddingBackwardArgs {
  readonly ids: TensorLike;
  readonly gradOut: TensorLike;
  readonly gradWeight: TensorLike;
}

/** Uniform (0, 1) or standard normal numbers, element i from Philox4x32-10 block (offset + floor(i/4)). */
export interface RandomArgs {
  readonly distribution: 'uniform' | 'normal';
  readonly generator: PhiloxPosition;
  readonly out: TensorLike;
}

/** Where a counter-based generator stands. Blocks of four 32-bit numbers are counted. */
export interface PhiloxPosition {
  /** Key: an integer below 2^53. */
  readonly seed: number;
  /** Upper half of the counter: separates independent streams. */
  readonly stream: number;
  /** Lower half of the counter: first block. */
  readonly offset: number;
}

/** out = x * keep / (1 - p), where keep_i = uniform_i >= p; the same call on gradOut is its backward. */
export interface DropoutArgs {
  readonly x: TensorLike;
  readonly p: number;
  readonly generator: PhiloxPosition;
  readonly out: TensorLike;
}

/** Euclidean norm of all tensors together, and the factor that brings it to `maxNorm`. */
export interface GradNormArgs {
  readonly grads: readonly TensorLike[];
  /** Infinity: no clipping. */
  readonly maxNorm: number;
  /** f32 (1): the norm before clipping; NaN or Infinity when any gradient is. */
  readonly norm: TensorLike;
  /** f32 (1): min(1, maxNorm / (norm + 1e-6)). */
  readonly factor: TensorLike;
}

/** One parameter of an optimiser step. */
export interface AdamWSlot {
  readonly param: TensorLike;
  readonly grad: TensorLike;
  /** First moment. */
  readonly m: TensorLike;
  /** Second moment. */
  readonly v: TensorLike;
  /** Factor on the learning rate. */
  readonly lrScale: number;
  readonly weightDecay: number;
}

/**
 * AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101) on all slots:
 *   g = gradScale * grad;  m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2
 *   param = param (1 - lr lrScale weightDecay) - lr lrScale (m / c1) / (sqrt(v / c2) + eps)
 */
export interface AdamWArgs {
  readonly slots: readonly AdamWSlot[];
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  /** f32 (3), in the backend's memory so that a captured step can be replayed: lr, c1 = 1 - b1^t, c2 = 1 - b2^t. */
  readonly schedule: TensorLike;
  /** f32 (1): factor on every gradient, from `gradNorm`; absent means 1. */
  readonly gradScale?: TensorLike;
}
