/**
 * One decode step of the scans and of the convolution. States are changed in place, and there is no gradient.
 * Shapes stand at `SelectiveStateUpdateArgs` and `CausalConv1dUpdateArgs` of ssd-core.
 */
import {
  ArgumentError,
  type CausalConv1dUpdateArgs,
  type SelectiveStateUpdateArgs,
} from '@statespace/ssd-core';
import { isGradEnabled } from '../autograd/mode.js';
import type { Tensor } from '../tensor.js';
import { checkPeers, dropIndices, type Indices, indexTensor } from './arguments.js';
import { allocateLike } from './layout.js';

type Tensors<Args, Index extends keyof Args> = {
  readonly [Key in keyof Args as Exclude<Key, 'out'>]: Key extends Index
    ? Indices | undefined
    : Exclude<Args[Key], undefined> extends string | number | boolean | readonly number[]
      ? Args[Key]
      : undefined extends Args[Key]
        ? Tensor | undefined
        : Tensor;
};

/**
 * Mamba-1: state (B, D, N), x, dt, z (B, D), A (D, N), B, C (B, N) or (B, G, N), D, dtBias (D).
 * Mamba-2: state (B, H, P, N), x, z (B, H, P), dt (B, H) or (B, H, P), A (H) or (H, P, N), B, C (B, G, N),
 * D, dtBias (H) or (H, P).
 */
export type SelectiveStateUpdateOptions = Tensors<SelectiveStateUpdateArgs, 'stateBatchIndices'>;

/** x (B, D) or (B, L, D); convState (B, D, S), S >= W-1; weight (D, W); bias (D). */
export type CausalConv1dUpdateOptions = Tensors<CausalConv1dUpdateArgs, 'cacheSeqlens' | 'convStateIndices'>;

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
