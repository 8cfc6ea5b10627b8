/**
 * One decode step of the scans and of the convolution: h = exp(dt A) h + dt x B, out = (<C, h> + D x) SiLU(z).
 * States are changed in place, and there is no gradient.
 */
import { ArgumentError } from '@statespace/ssd-core';
import { isGradEnabled } from '../autograd/mode.js';
import type { Tensor } from '../tensor.js';
import { checkPeers, dropIndices, type Indices, indexTensor } from './arguments.js';
import { allocateLike } from './layout.js';

/**
 * Mamba-1: state (B, D, N), x, dt, z (B, D), A (D, N), B, C (B, N) or (B, G, N), D, dtBias (D).
 * Mamba-2: state (B, H, P, N), x, z (B, H, P), dt (B, H) or (B, H, P), A (H) or (H, P, N), B, C (B, G, N),
 * D, dtBias (H) or (H, P).
 */
export interface SelectiveStateUpdateOptions {
  /** Changed in place. */
  readonly state: Tensor;
  readonly x: Tensor;
  /** Step before bias and softplus. */
  readonly dt: Tensor;
  readonly A: Tensor;
  readonly B: Tensor;
  readonly C: Tensor;
  readonly D?: Tensor;
  readonly z?: Tensor;
  readonly dtBias?: Tensor;
  /** Default false. */
  readonly dtSoftplus?: boolean;
  /** Clamp of dt after softplus. Default [0, Infinity]. */
  readonly dtLimit?: readonly [number, number];
  /** (B): row of `state` for each sequence; negative marks padding, whose output is 0. */
  readonly stateBatchIndices?: Indices;
}

export interface CausalConv1dUpdateOptions {
  /** (B, D) or (B, L, D) */
  readonly x: Tensor;
  /** (B, D, S) with S >= W-1, oldest first; a ring when `cacheSeqlens` is given. Changed in place. */
  readonly convState: Tensor;
  /** (D, W) */
  readonly weight: Tensor;
  /** (D) */
  readonly bias?: Tensor;
  /** Default `'none'`. */
  readonly activation?: 'none' | 'silu';
  /** (B): steps already written. */
  readonly cacheSeqlens?: Indices;
  /** (B): row of `convState` for each sequence; negative marks padding, whose output is 0. */
  readonly convStateIndices?: Indices;
}

/** Advances `state` by one step; returns the output, of x's shape. @throws {ShapeError} @throws {ArgumentError} */
export function selectiveStateUpdate(options: SelectiveStateUpdateOptions): Tensor {
  const op = 'selectiveStateUpdate';
  const { state, x, dt, A, B, C, D, z, dtBias, dtSoftplus, dtLimit, stateBatchIndices } = options;
  const peers = { x, dt, A, B, C, D, z, dtBias };
  checkPeers(op, 'state', state, peers);
  refuseGradients(op, { state, ...peers });
  const rows =
    stateBatchIndices === undefined
      ? undefined
      : indexTensor(op, 'stateBatchIndices', stateBatchIndices, x.kernels);
  const out = allocateLike(x);
  x.kernels.selectiveStateUpdate({
    ...{ state, x, dt, A, B, C, D, z, dtBias, dtSoftplus, dtLimit },
    stateBatchIndices: rows,
    out,
  });
  state.storage.version += 1;
  dropIndices(rows, stateBatchIndices);
  return out;
}

/** Advances `convState`; returns the output, of x's shape. @throws {ShapeError} @throws {ArgumentError} */
export function causalConv1dUpdate(options: CausalConv1dUpdateOptions): Tensor {
  const op = 'causalConv1dUpdate';
  const { x, convState, weight, bias, activation, cacheSeqlens, convStateIndices } = options;
  const peers = { convState, weight, bias };
  checkPeers(op, 'x', x, peers);
  refuseGradients(op, { x, ...peers });
  const { kernels } = x;
  const steps =
    cacheSeqlens === undefined ? undefined : indexTensor(op, 'cacheSeqlens', cacheSeqlens, kernels);
  const rows =
    convStateIndices === undefined
      ? undefined
      : indexTensor(op, 'convStateIndices', convStateIndices, kernels);
  const out = allocateLike(x);
  kernels.causalConv1dUpdate({
    ...{ x, convState, weight, bias, activation },
    cacheSeqlens: steps,
    convStateIndices: rows,
    out,
  });
  convState.storage.version += 1;
  dropIndices(steps, cacheSeqlens);
  dropIndices(rows, convStateIndices);
  return out;
}

/** A silent loss of gradients would be worse than an error. */
function refuseGradients(op: string, inputs: Readonly<Record<string, Tensor | undefined>>): void {
  if (!isGradEnabled()) return;
  for (const name in inputs) {
    if (inputs[name]?.requiresGrad !== true) continue;
    throw new ArgumentError({
      op,
      argument: name,
      wanted: 'a tensor that requires no gradient, or a call within noGrad()',
      got: 'one that requires a gradient',
      hint: 'A step in place has no derivative; train with the scan over the whole sequence',
    });
  }
}
