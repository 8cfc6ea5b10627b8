/**
 * Selective scan (Gu & Dao 2023, arXiv:2312.00752, Alg. 2), with d = softplus(delta + deltaBias):
 *   h[t] = exp(d[t] A) h[t-1] + d[t] u[t] B[t];  out[t] = (<C[t], h[t]> + D u[t]) SiLU(z[t]).
 * u, delta, z, out (B, L, D); A (D, N); B, C (B, L, N), (B, L, G, N) or constant (D, N); D, deltaBias (D);
 * states (B, D, N), or (S, D, N) for a packed row. Complex A (D, N, 2): states, B and C get a last axis of 2
 * (re, im) too. Backward is the adjoint recurrence of the kernel.
 */
import { type SelectiveScanInputs, selectiveScanCheckpointShape } from '@statespace/ssd-core';
import { type MaybeTensor, record } from '../autograd/graph.js';
import { isGradEnabled } from '../autograd/mode.js';
import { zerosLike } from '../create.js';
import type { Tensor } from '../tensor.js';
import { checkPeers, checkRank, dropIndices, type Indices, indexTensor } from './arguments.js';
import {
  allocate,
  allocateLike,
  dense,
  denseMaybe,
  dropAll,
  gradientsOf,
  unitLast,
  unitLastMaybe,
} from './layout.js';

export interface SelectiveScanOptions {
  /** (B, L, D) */
  readonly u: Tensor;
  /** Step before bias and softplus, (B, L, D). */
  readonly delta: Tensor;
  /** (D, N) or complex (D, N, 2), negative real part. */
  readonly A: Tensor;
  /** (B, L, N), (B, L, G, N) or (D, N). */
  readonly B: Tensor;
  /** As `B`. */
  readonly C: Tensor;
  /** Skip weight, (D). */
  readonly D?: Tensor;
  /** Gate, (B, L, D). */
  readonly z?: Tensor;
  /** (D) */
  readonly deltaBias?: Tensor;
  /** Default false. */
  readonly deltaSoftplus?: boolean;
  /** (B, D, N) or (S, D, N); zero when absent. */
  readonly initialState?: Tensor;
  /** (S + 1): boundaries of the sequences of a packed row, B = 1. */
  readonly cuSeqlens?: Indices;
  /** Default false. */
  readonly returnLastState?: boolean;
}

export interface SelectiveScanResult {
  /** (B, L, D) */
  readonly out: Tensor;
  /** State after the last step, (B, D, N) or (S, D, N); undefined unless asked for. */
  readonly lastState: Tensor | undefined;
}

type Inputs = readonly [
  u: Tensor,
  delta: Tensor,
  A: Tensor,
  B: Tensor,
  C: Tensor,
  D: MaybeTensor,
  z: MaybeTensor,
  deltaBias: MaybeTensor,
  initialState: MaybeTensor,
];

const op = 'selectiveScan';

/** The scan. Strided views of unit last stride go in without a copy. @throws {ShapeError} @throws {DTypeError} */
export function selectiveScan(
  options: SelectiveScanOptions & { readonly returnLastState: true },
): SelectiveScanResult & { readonly lastState: Tensor };
export function selectiveScan(options: SelectiveScanOptions): SelectiveScanResult;
export function selectiveScan(options: SelectiveScanOptions): SelectiveScanResult {
  const { u, delta, A, B, C, D, z, deltaBias, initialState, deltaSoftplus = false } = options;
  checkPeers(op, 'u', u, { delta, A, B, C, D, z, deltaBias, initialState });
  checkRank(op, 'u', u, [3], '(B, L, D)');
  checkRank(op, 'A', A, [2, 3], '(D, N), or (D, N, 2) when complex');
  const { kernels } = u;
  const { cuSeqlens } = options;
  const bounds = cuSeqlens === undefined ? undefined : indexTensor(op, 'cuSeqlens', cuSeqlens, kernels);
  const given: Inputs = [u, delta, A, B, C, D, z, deltaBias, initialState];
  const ready: Inputs = [
    unitLast(u),
    unitLast(delta),
    dense(A),
    unitLast(B),
    unitLast(C),
    denseMaybe(D),
    unitLastMaybe(z),
    denseMaybe(deltaBias),
    denseMaybe(initialState),
  ];
  const out = allocateLike(u);
  const stateRows = bounds === undefined ? (u.shape[0] as number) : Math.max(bounds.size - 1, 0);
  const lastState =
    options.returnLastState === true ? allocate(kernels, u.dtype, [stateRows, ...A.shape]) : undefined;
  const checkpoints = wantsCheckpoints(given) ? allocateCheckpoints(u, A, bounds) : undefined;
  kernels.selectiveScan({ ...kernelInputs(ready, deltaSoftplus, bounds), out, lastState, checkpoints });
  const outputs = lastState === undefined ? [out] : [out, lastState];
  record(op, outputs, given, [bounds, checkpoints, ...ready], ({ grads, needs, saved }) => {
    const [packed, states, ...inputs] = saved;
    const made = gradientsOf(inputs, needs);
    kernels.selectiveScanBackward({
      ...kernelInputs(inputs, deltaSoftplus, packed),
      gradOut: grads[0] === undefined ? zerosLike(inputs[0]) : dense(grads[0]),
      gradLastState: denseMaybe(grads[1]),
      checkpoints: states,
      gradU: made[0],
      gradDelta: made[1],
      gradA: made[2],
      gradB: made[3],
      gradC: made[4],
      gradD: made[5],
      gradZ: made[6],
      gradDeltaBias: made[7],
      gradInitialState: made[8],
    });
    return made;
  });
  checkpoints?.dispose();
  dropAll(ready, given);
  dropIndices(bounds, cuSeqlens);
  return { out, lastState };
}

/** Whether a backward pass may follow whose kernel takes checkpoints. */
function wantsCheckpoints(inputs: Inputs): boolean {
  const [u, , A] = inputs;
  const real = u.dtype === 'f32' && A.shape.length === 2;
  return real && isGradEnabled() && inputs.some((input) => input?.requiresGrad);
}

/** Room for the states that the backward pass would compute again: as much as u. */
function allocateCheckpoints(u: Tensor, A: Tensor, cuSeqlens: MaybeTensor): Tensor {
  const [batch, seqLen, dInner] = u.shape as [number, number, number];
  const dims = { batch, seqLen, dInner, dState: A.shape[1] as number, complex: false };
  return allocate(u.kernels, 'f32', selectiveScanCheckpointShape(op, dims, { cuSeqlens }));
}

function kernelInputs(
  [u, delta, A, B, C, D, z, deltaBias, initialState]: Inputs,
  deltaSoftplus: boolean,
  cuSeqlens: MaybeTensor,
): SelectiveScanInputs {
  return { u, delta, A, B, C, D, z, deltaBias, deltaSoftplus, initialState, cuSeqlens };
}
