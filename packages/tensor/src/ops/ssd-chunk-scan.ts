/**
 * Chunked state-space-duality scan (Dao & Gu 2024, arXiv:2405.21060), with d = clamp(softplus(dt + dtBias)):
 *   h[t] = exp(d[t] A) h[t-1] + d[t] x[t] B[t]^T;  out[t] = (h[t] C[t] + D x[t]) SiLU(z[t]).
 * x, z, out (B, L, H, P); dt (B, L, H); A, dtBias (H); B, C (B, L, G, N); D (H) or (H, P);
 * states (B, H, P, N), or (S, H, P, N) for a packed row.
 */
import type { SsdChunkScanInputs } from '@statespace/ssd-core';
import { type MaybeTensor, record } from '../autograd/graph.js';
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

export interface SsdChunkScanOptions {
  /** (B, L, H, P) */
  readonly x: Tensor;
  /** Step before bias and softplus, (B, L, H). */
  readonly dt: Tensor;
  /** (H), negative. */
  readonly A: Tensor;
  /** (B, L, G, N); G divides H. */
  readonly B: Tensor;
  /** (B, L, G, N) */
  readonly C: Tensor;
  /** Steps per chunk; the result does not depend on it. Default: the kernel's choice. */
  readonly chunkSize?: number;
  /** (H) or (H, P) */
  readonly D?: Tensor;
  /** Gate, (B, L, H, P). */
  readonly z?: Tensor;
  /** (H) */
  readonly dtBias?: Tensor;
  /** Default false. */
  readonly dtSoftplus?: boolean;
  /** Clamp of dt after softplus. Default [0, Infinity]. */
  readonly dtLimit?: readonly [number, number];
  /** (B, H, P, N) or (S, H, P, N); zero when absent. */
  readonly initialStates?: Tensor;
  /** (S + 1): boundaries of the sequences of a packed row, B = 1. */
  readonly cuSeqlens?: Indices;
  /** Default false. */
  readonly returnFinalStates?: boolean;
}

export interface SsdChunkScanResult {
  /** (B, L, H, P) */
  readonly out: Tensor;
  /** State after the last step; undefined unless asked for. */
  readonly finalStates: Tensor | undefined;
}

type Inputs = readonly [
  x: Tensor,
  dt: Tensor,
  A: Tensor,
  B: Tensor,
  C: Tensor,
  D: MaybeTensor,
  z: MaybeTensor,
  dtBias: MaybeTensor,
  initialStates: MaybeTensor,
];

type Settings = Pick<SsdChunkScanInputs, 'chunkSize' | 'dtSoftplus' | 'dtLimit'>;

/** The scan. Strided views of unit last stride go in without a copy. @throws {ShapeError} */
export function ssdChunkScan(
  options: SsdChunkScanOptions & { readonly returnFinalStates: true },
): SsdChunkScanResult & { readonly finalStates: Tensor };
export function ssdChunkScan(options: SsdChunkScanOptions): SsdChunkScanResult;
export function ssdChunkScan(options: SsdChunkScanOptions): SsdChunkScanResult {
  return runSsd('ssdChunkScan', options);
}

/** Either SSD scan: the kernels differ in what they want A to be, and check it. */
export function runSsd(op: 'ssdChunkScan' | 'diagonalSsd', options: SsdChunkScanOptions): SsdChunkScanResult {
  const { x, dt, A, B, C, D, z, dtBias, initialStates, cuSeqlens } = options;
  const { chunkSize, dtSoftplus, dtLimit } = options;
  checkPeers(op, 'x', x, { dt, A, B, C, D, z, dtBias, initialStates });
  checkRank(op, 'x', x, [4], '(B, L, H, P)');
  checkRank(op, 'B', B, [4], '(B, L, G, N)');
  const { kernels } = x;
  const bounds = cuSeqlens === undefined ? undefined : indexTensor(op, 'cuSeqlens', cuSeqlens, kernels);
  const settings: Settings = { chunkSize, dtSoftplus, dtLimit };
  const given: Inputs = [x, dt, A, B, C, D, z, dtBias, initialStates];
  const ready: Inputs = [
    unitLast(x),
    unitLast(dt),
    dense(A),
    unitLast(B),
    unitLast(C),
    denseMaybe(D),
    unitLastMaybe(z),
    denseMaybe(dtBias),
    denseMaybe(initialStates),
  ];
  const out = allocateLike(x);
  const [batch, , heads, headDim] = x.shape as readonly [number, number, number, number];
  const stateRows = bounds === undefined ? batch : Math.max(bounds.size - 1, 0);
  const finalStates =
    options.returnFinalStates === true
      ? allocate(kernels, x.dtype, [stateRows, heads, headDim, B.shape[3] as number])
      : undefined;
  kernels[op]({ ...kernelInputs(ready, bounds), ...settings, out, finalStates });
  const outputs = finalStates === undefined ? [out] : [out, finalStates];
  record(op, outputs, given, [bounds, ...ready], ({ grads, needs, saved: [packed, ...inputs] }) => {
    const made = gradientsOf(inputs, needs);
    kernels[`${op}Backward` as const]({
      ...kernelInputs(inputs, packed),
      ...settings,
      gradOut: grads[0] === undefined ? zerosLike(inputs[0]) : dense(grads[0]),
      gradFinalStates: denseMaybe(grads[1]),
      gradX: made[0],
      gradDt: made[1],
      gradA: made[2],
      gradB: made[3],
      gradC: made[4],
      gradD: made[5],
      gradZ: made[6],
      gradDtBias: made[7],
      gradInitialStates: made[8],
    });
    return made;
  });
  dropAll(ready, given);
  dropIndices(bounds, cuSeqlens);
  return { out, finalStates };
}

function kernelInputs(
  [x, dt, A, B, C, D, z, dtBias, initialStates]: Inputs,
  cuSeqlens: MaybeTensor,
): SsdChunkScanInputs {
  return { x, dt, A, B, C, D, z, dtBias, initialStates, cuSeqlens };
}
