/**
 * Diagonal state-space duality: SSD whose heads have a decay for every state, one scan in three forms that give the
 * same numbers in float64.
 *
 *   dt = clamp(softplus(dtRaw + dtBias), dtLimit)
 *   H[t] = H[t-1] diag(exp(dt[t] A)) + dt[t] x[t] B[t]^T      (for each head; A has one number per state)
 *   out[t] = (H[t] C[t] + D x[t]) SiLU(z[t])
 *
 * `recurrent.ts`, `masked-attention.ts` and `chunked.ts` hold the mathematics of one head; the batch is cut
 * into heads and sequences, and skip and gate are added, as for `ssdChunkScan`. With A the same for all states of a head this is `ssdChunkScan`;
 * with A and dt given to every channel it is `selectiveScan`.
 * Source: Hu et al. 2025, "On Structured State-Space Duality", arXiv:2510.04944, section 4.
 */
import type { DiagonalSsdInputs } from '../../kernels/ssm-args.js';
import { type HeadForm, runHeads, type SsdChunkScanResult } from '../ssd-chunk-scan/heads.js';
import { chunkedDiagonalHead } from './chunked.js';
import { cutDiagonalHead } from './diagonal-head.js';
import { maskedAttentionDiagonalHead } from './masked-attention.js';
import { recurrentDiagonalHead } from './recurrent.js';
import { checkDiagonalSsdShapes } from './shapes.js';

/** Result of the forward pass, that of `ssdChunkScanRef`. */
export type DiagonalSsdResult = SsdChunkScanResult;

/**
 * Diagonal SSD in its chunked form in float64, the oracle of every `diagonalSsd` kernel.
 *
 * x, z (B, L, H, P); dt (B, L, H), a step in units of 1/|A| before bias and softplus; A (H, N), negative; B, C
 * (B, L, G, N); D (H) or (H, P); dtBias (H); initialStates (B, H, P, N). Work grows as L Q, memory as Q^2, with
 * Q = chunkSize.
 * @returns out (B, L, H, P) and finalStates (B, H, P, N).
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming the argument.
 * @example
 * const x = { data: Float64Array.of(1, 1), shape: [1, 2, 1, 1] };
 * const dt = { data: Float64Array.of(1, 1), shape: [1, 2, 1] };
 * const A = { data: Float64Array.of(-1, -2), shape: [1, 2] };
 * const B = { data: Float64Array.of(1, 1, 1, 1), shape: [1, 2, 1, 2] };
 * diagonalSsdRef({ x, dt, A, B, C: B }).out.data; // 2, 2 + exp(-1) + exp(-2)
 */
export function diagonalSsdRef(inputs: DiagonalSsdInputs): DiagonalSsdResult {
  return run(inputs, chunkedDiagonalHead);
}

/**
 * Diagonal SSD in its recurrent form in float64: the same result as `diagonalSsdRef`, one step after another.
 * Takes the same inputs; `chunkSize` does not change the result of any form.
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming the argument.
 */
export function diagonalSsdRecurrentRef(inputs: DiagonalSsdInputs): DiagonalSsdResult {
  return run(inputs, recurrentDiagonalHead);
}

/**
 * Diagonal SSD in its masked-attention form in float64: the same result as `diagonalSsdRef`, as a sum over the states
 * of lower triangular matrix products. Work grows as N L^2.
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming the argument.
 */
export function diagonalSsdMaskedAttentionRef(inputs: DiagonalSsdInputs): DiagonalSsdResult {
  return run(inputs, maskedAttentionDiagonalHead);
}

function run(inputs: DiagonalSsdInputs, form: HeadForm): DiagonalSsdResult {
  const op = 'diagonalSsd';
  return runHeads(op, inputs, checkDiagonalSsdShapes(op, inputs), cutDiagonalHead, form);
}
