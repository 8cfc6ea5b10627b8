/**
 * Arguments of the state-space kernels.
 *
 * Letters in shapes: B batch, L seqLen, D channels (dInner), N dState, G nGroups, H nHeads, P headDim,
 * W conv width, S packed sequences. Tensors with a length L may have any strides, outputs too; other outputs are
 * contiguous. All are preallocated by the caller and wholly overwritten; an optional output that is absent is not computed.
 */
import type { TensorLike } from '../tensor-like.js';

/**
 * Where the sequences of a (B, L, ...) call lie, and which way they run. Without any of these every batch row is one
 * sequence. At most one of `cuSeqlens`, `seqIdx` and `lengths` may be given. Padding has output 0 and gradient 0, and the
 * state passes it by.
 */
export interface SequenceOptions {
  /** i32 (S + 1): boundaries of S sequences packed into one row, 0 first and L last; needs B = 1. States are (S, ...). */
  readonly cuSeqlens?: TensorLike;
  /**
   * i32 (B, L): each run of equal ids is a sequence of its own, negative ids are padding. The initial state of a row
   * belongs to its first sequence, the final state to its last.
   */
  readonly seqIdx?: TensorLike;
  /** i32 (B): steps of each row, 0 to L; the rest of the row is padding. */
  readonly lengths?: TensorLike;
  /**
   * Walks every sequence from its last step to its first, as if it were turned around and the result turned back:
   * initial states stand after the last step. Default false.
   */
  readonly reverse?: boolean;
}

/**
 * Inputs of the selective scan. Beside a complex A, B, C and the states are complex too; complex tensors have a
 * last axis of 2 (re, im), and the tag `c64`/`c128` or that of plain floats: A (D, N, 2), B (B, L, N, 2), ...
 */
export interface SelectiveScanInputs extends SequenceOptions {
  /** (B, L, D) */
  readonly u: TensorLike;
  /** Step before bias and softplus, (B, L, D). */
  readonly delta: TensorLike;
  /** (D, N); negative real part for a stable system. */
  readonly A: TensorLike;
  /** Variable (B, L, N) or (B, L, G, N); constant (D, N). */
  readonly B: TensorLike;
  /** As `B`. */
  readonly C: TensorLike;
  /** Skip weight, (D). */
  readonly D?: TensorLike;
  /** Gate, (B, L, D): the output is multiplied by SiLU(z). */
  readonly z?: TensorLike;
  /** Added to `delta`, (D). */
  readonly deltaBias?: TensorLike;
  /** Applies softplus to `delta + deltaBias`. Default false. */
  readonly deltaSoftplus?: boolean;
  /** State before the first step, (B, D, N); zero when absent. Packed rows: (S, D, N). */
  readonly initialState?: TensorLike;
}

export interface SelectiveScanArgs extends SelectiveScanInputs {
  /** (B, L, D) */
  readonly out: TensorLike;
  /** State after the last step, (B, D, N) or (S, D, N). */
  readonly lastState?: TensorLike;
  /**
   * State before every 16th step of every sequence, in the order of the walk, (R, N, D) with R of
   * `selectiveScanCheckpointShape`; rows that are left over are 0. Not for complex A or `seqIdx`.
   */
  readonly checkpoints?: TensorLike;
}

export interface SelectiveScanBackwardArgs extends SelectiveScanInputs {
  readonly gradOut: TensorLike;
  readonly gradLastState?: TensorLike;
  /** From the forward pass over the same inputs: spares a sweep to the kernels that can use them. */
  readonly checkpoints?: TensorLike;
  readonly gradU?: TensorLike;
  readonly gradDelta?: TensorLike;
  readonly gradA?: TensorLike;
  readonly gradB?: TensorLike;
  readonly gradC?: TensorLike;
  readonly gradD?: TensorLike;
  readonly gradZ?: TensorLike;
  readonly gradDeltaBias?: TensorLike;
  readonly gradInitialState?: TensorLike;
}

/** Inputs of the causal depthwise convolution along L. */
export interface CausalConv1dInputs extends SequenceOptions {
  /** (B, L, D) */
  readonly x: TensorLike;
  /** (D, W) */
  readonly weight: TensorLike;
  /** (D) */
  readonly bias?: TensorLike;
  /** `'silu'` or `'none'` (default). */
  readonly activation?: 'none' | 'silu';
  /** Inputs before the first step, (B, D, W-1), oldest first; zero when absent. Packed: (S, D, W-1). */
  readonly initialStates?: TensorLike;
}

export interface CausalConv1dArgs extends CausalConv1dInputs {
  /** (B, L, D) */
  readonly out: TensorLike;
  /** Last W-1 inputs, (B, D, W-1) or (S, D, W-1). */
  readonly finalStates?: TensorLike;
}

export interface CausalConv1dBackwardArgs extends CausalConv1dInputs {
  readonly gradOut: TensorLike;
  readonly gradFinalStates?: TensorLike;
  readonly gradX?: TensorLike;
  readonly gradWeight?: TensorLike;
  readonly gradBias?: TensorLike;
  readonly gradInitialStates?: TensorLike;
}

/** Inputs of the chunked state-space-duality scan (Mamba-2). */
export interface SsdChunkScanInputs extends SequenceOptions {
  /** (B, L, H, P) */
  readonly x: TensorLike;
  /** Step before bias and softplus, (B, L, H). */
  readonly dt: TensorLike;
  /** One decay rate per head, (H), negative. */
  readonly A: TensorLike;
  /** (B, L, G, N); heads are shared out over groups in order, G divides H. */
  readonly B: TensorLike;
  /** (B, L, G, N) */
  readonly C: TensorLike;
  /** Steps per chunk; any positive integer, the result does not depend on it. Default 64. */
  readonly chunkSize?: number;
  /** (H) or (H, P) */
  readonly D?: TensorLike;
  /** Gate, (B, L, H, P). */
  readonly z?: TensorLike;
  /** (H) */
  readonly dtBias?: TensorLike;
  readonly dtSoftplus?: boolean;
  /** Clamp of dt after softplus, zero gradient outside. Default [0, Infinity]. */
  readonly dtLimit?: readonly [number, number];
  /** (B, H, P, N) or packed (S, H, P, N); zero when absent. */
  readonly initialStates?: TensorLike;
}

export interface SsdChunkScanArgs extends SsdChunkScanInputs {
  /** (B, L, H, P) */
  readonly out: TensorLike;
  /** (B, H, P, N) or (S, H, P, N) */
  readonly finalStates?: TensorLike;
}

export interface SsdChunkScanBackwardArgs extends SsdChunkScanInputs {
  readonly gradOut: TensorLike;
  readonly gradFinalStates?: TensorLike;
  readonly gradX?: TensorLike;
  readonly gradDt?: TensorLike;
  readonly gradA?: TensorLike;
  readonly gradB?: TensorLike;
  readonly gradC?: TensorLike;
  readonly gradD?: TensorLike;
  readonly gradZ?: TensorLike;
  readonly gradDtBias?: TensorLike;
  readonly gradInitialStates?: TensorLike;
}

/** Inputs of the diagonal state-space-duality scan: those of the SSD scan, with a decay rate for every state. */
export interface DiagonalSsdInputs extends SsdChunkScanInputs {
  /** Decay rates, (H, N), negative. */
  readonly A: TensorLike;
}

export interface DiagonalSsdArgs extends DiagonalSsdInputs {
  /** (B, L, H, P) */
  readonly out: TensorLike;
  /** (B, H, P, N) or (S, H, P, N) */
  readonly finalStates?: TensorLike;
}

export interface DiagonalSsdBackwardArgs extends DiagonalSsdInputs {
  readonly gradOut: TensorLike;
  readonly gradFinalStates?: TensorLike;
  readonly gradX?: TensorLike;
  readonly gradDt?: TensorLike;
  readonly gradA?: TensorLike;
  readonly gradB?: TensorLike;
  readonly gradC?: TensorLike;
  readonly gradD?: TensorLike;
  readonly gradZ?: TensorLike;
  readonly gradDtBias?: TensorLike;
  readonly gradInitialStates?: TensorLike;
}

/**
 * One decode step; `state` is changed in place.
 * Mamba-1 form: state (B, D, N), x, dt, z (B, D), A (D, N), B, C (B, N) or (B, G, N), D, dtBias (D).
 * Mamba-2 form: state (B, H, P, N), x, z (B, H, P), dt (B, H) or (B, H, P), A (H) or (H, P, N),
 * B, C (B, G, N), D (H) or (H, P), dtBias (H) or (H, P).
 */
export interface SelectiveStateUpdateArgs {
  readonly state: TensorLike;
  readonly x: TensorLike;
  readonly dt: TensorLike;
  readonly A: TensorLike;
  readonly B: TensorLike;
  readonly C: TensorLike;
  readonly D?: TensorLike;
  readonly z?: TensorLike;
  readonly dtBias?: TensorLike;
  readonly dtSoftplus?: boolean;
  /** Clamp of dt after softplus. Default [0, Infinity]. */
  readonly dtLimit?: readonly [number, number];
  /** i32 (B): row of `state` for each sequence; negative marks padding, whose output is 0. */
  readonly stateBatchIndices?: TensorLike;
  /** Shape of `x`. */
  readonly out: TensorLike;
}

/** One or more decode steps of the convolution; `convState` is changed in place. */
export interface CausalConv1dUpdateArgs {
  /** (B, D) or (B, L, D) */
  readonly x: TensorLike;
  /** (B, D, S) with S >= W-1, oldest first; a ring buffer when `cacheSeqlens` is given. */
  readonly convState: TensorLike;
  /** (D, W) */
  readonly weight: TensorLike;
  readonly bias?: TensorLike;
  readonly activation?: 'none' | 'silu';
  /** i32 (B): steps already written; makes `convState` a ring buffer. */
  readonly cacheSeqlens?: TensorLike;
  /** i32 (B): row of `convState` for each sequence; negative marks padding, whose output is 0. */
  readonly convStateIndices?: TensorLike;
  /** Shape of `x`. */
  readonly out: TensorLike;
}
