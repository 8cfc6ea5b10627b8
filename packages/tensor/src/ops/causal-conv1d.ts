/**
 * Causal depthwise convolution along L: out[t] = act(bias + sum_w weight[w] x[t - W + 1 + w]).
 * x, out (B, L, D); weight (D, W); bias (D); states, the last W-1 inputs, (B, D, W-1), or (S, D, W-1) for a packed
 * row.
 */
import type { CausalConv1dInputs } from '@statespace/ssd-core';
import { type MaybeTensor, record } from '../autograd/graph.js';
import { zerosLike } from '../create.js';
import type { Tensor } from '../tensor.js';
import { checkPeers, checkRank, dropIndices, type Indices, indexTensor } from './arguments.js';
import { allocate, allocateLike, dense, denseMaybe, dropAll, gradientsOf, unitLast } from './layout.js';

export interface CausalConv1dOptions {
  /** (B, L, D) */
  readonly x: Tensor;
  /** (D, W) */
  readonly weight: Tensor;
  /** (D) */
  readonly bias?: Tensor;
  /** Default `'none'`. */
  readonly activation?: 'none' | 'silu';
  /** Inputs before the first step, (B, D, W-1) or (S, D, W-1), oldest first; zero when absent. */
  readonly initialStates?: Tensor;
  /** (S + 1): boundaries of the sequences of a packed row, B = 1. */
  readonly cuSeqlens?: Indices;
  /** Default false. */
  readonly returnFinalStates?: boolean;
}

export interface CausalConv1dResult {
  /** (B, L, D) */
  readonly out: Tensor;
  /** Last W-1 inputs; undefined unless asked for. */
  readonly finalStates: Tensor | undefined;
}

type Inputs = readonly [x: Tensor, weight: Tensor, bias: MaybeTensor, initialStates: MaybeTensor];

const op = 'causalConv1d';

/** The convolution. A strided view of unit last stride goes in without a copy. @throws {ShapeError} */
export function causalConv1d(
  options: CausalConv1dOptions & { readonly returnFinalStates: true },
): CausalConv1dResult & { readonly finalStates: Tensor };
export function causalConv1d(options: CausalConv1dOptions): CausalConv1dResult;
export function causalConv1d(options: CausalConv1dOptions): CausalConv1dResult {
  const { x, weight, bias, initialStates, activation = 'none', cuSeqlens } = options;
  checkPeers(op, 'x', x, { weight, bias, initialStates });
  checkRank(op, 'x', x, [3], '(B, L, D)');
  checkRank(op, 'weight', weight, [2], '(D, W)');
  const { kernels } = x;
  const bounds = cuSeqlens === undefined ? undefined : indexTensor(op, 'cuSeqlens', cuSeqlens, kernels);
  const given: Inputs = [x, weight, bias, initialStates];
  const ready: Inputs = [unitLast(x), dense(weight), denseMaybe(bias), denseMaybe(initialStates)];
  const out = allocateLike(x);
  const stateRows = bounds === undefined ? (x.shape[0] as number) : Math.max(bounds.size - 1, 0);
  const finalStates =
    options.returnFinalStates === true
      ? allocate(kernels, x.dtype, [
          stateRows,
          x.shape[2] as number,
          Math.max((weight.shape[1] as number) - 1, 0),
        ])
      : undefined;
  kernels.causalConv1d({ ...kernelInputs(ready, activation, bounds), out, finalStates });
  const outputs = finalStates === undefined ? [out] : [out, finalStates];
  record(op, outputs, given, [bounds, ...ready], ({ grads, needs, saved: [packed, ...inputs] }) => {
    const made = gradientsOf(inputs, needs);
    kernels.causalConv1dBackward({
      ...kernelInputs(inputs, activation, packed),
      gradOut: grads[0] === undefined ? zerosLike(inputs[0]) : dense(grads[0]),
      gradFinalStates: denseMaybe(grads[1]),
      gradX: made[0],
      gradWeight: made[1],
      gradBias: made[2],
      gradInitialStates: made[3],
    });
    return made;
  });
  dropAll(ready, given);
  dropIndices(bounds, cuSeqlens);
  return { out, finalStates };
}

function kernelInputs(
  [x, weight, bias, initialStates]: Inputs,
  activation: 'none' | 'silu',
  cuSeqlens: MaybeTensor,
): CausalConv1dInputs {
  return { x, weight, bias, activation, initialStates, cuSeqlens };
}
