/**
 * Diagonal state-space duality: SSD whose heads have a decay for every state, one scan in three forms that give the
 * same numbers in float64.
 *
 *   dt = clamp(softplus(dtRaw + dtBias), dtLimit)
 *   H[t] = H[t-1] diag(exp(dt[t] A)) + dt[t] x[t] B[t]^T      (for each head; A has one number per state)
 *   out[t] = (H[t] C[t] + D x[t]) SiLU(z[t])
 *
 * `recurrent.ts`, `masked-attention.ts` and `chunked.ts` hold the mathematics of one head; this file cuts the batch
 * into heads and sequences and adds skip and gate. With A the same for all states of a head this is `ssdChunkScan`;
 * with A and dt given to every channel it is `selectiveScan`.
 * Source: Hu et al. 2025, "On Structured State-Space Duality", arXiv:2510.04944, section 4.
 */
import type { DiagonalSsdInputs } from '../../kernels/ssm-args.js';
import { type Float64Tensor, float64Tensor } from '../float64-tensor.js';
import { applyGate } from '../gate.js';
import { addSkip } from '../ssd-chunk-scan/ssd-chunk-scan.js';
import { addRows, loadSsdData, type SsdHeadResult } from '../ssd-chunk-scan/ssd-data.js';
import { chunkedDiagonalHead } from './chunked.js';
import { cutDiagonalHead, type DiagonalHead } from './diagonal-head.js';
import { maskedAttentionDiagonalHead } from './masked-attention.js';
import { recurrentDiagonalHead } from './recurrent.js';
import { checkDiagonalSsdShapes } from './shapes.js';

/** Result of the forward pass. */
export interface DiagonalSsdResult {
  /** (B, L, H, P) */
  readonly out: Float64Tensor;
  /** State after the last step, (B, H, P, N) or (S, H, P, N). */
  readonly finalStates: Float64Tensor;
}

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
  return runHeads(inputs, chunkedDiagonalHead);
}

/**
 * Diagonal SSD in its recurrent form in float64: the same result as `diagonalSsdRef`, one step after another.
 * Takes the same inputs; `chunkSize` does not change the result of any form.
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming the argument.
 */
export function diagonalSsdRecurrentRef(inputs: DiagonalSsdInputs): DiagonalSsdResult {
  return runHeads(inputs, recurrentDiagonalHead);
}

/**
 * Diagonal SSD in its masked-attention form in float64: the same result as `diagonalSsdRef`, as a sum over the states
 * of lower triangular matrix products. Work grows as N L^2.
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming the argument.
 */
export function diagonalSsdMaskedAttentionRef(inputs: DiagonalSsdInputs): DiagonalSsdResult {
  return runHeads(inputs, maskedAttentionDiagonalHead);
}

function runHeads(
  inputs: DiagonalSsdInputs,
  form: (head: DiagonalHead, chunkSize: number) => SsdHeadResult,
): DiagonalSsdResult {
  const op = 'diagonalSsd';
  const dims = checkDiagonalSsdShapes(op, inputs);
  const data = loadSsdData(op, inputs, dims);
  const { batch, seqLen, nHeads, headDim, dState, stateRows } = dims;
  const out = new Float64Array(data.x.length);
  const stateSize = headDim * dState;
  const finalStates = new Float64Array(stateRows * nHeads * stateSize);
  for (const span of data.spans) {
    for (let h = 0; h < nHeads; h++) {
      const head = cutDiagonalHead(data, span, h);
      const { y, state } = form(head, dims.chunkSize);
      addSkip(data, head, h, y);
      addRows(out, span.row * seqLen + span.start, nHeads, h, headDim, y);
      finalStates.set(state, (span.state * nHeads + h) * stateSize);
    }
  }
  applyGate(out, data.z);
  return {
    out: float64Tensor(out, [batch, seqLen, nHeads, headDim]),
    finalStates: float64Tensor(finalStates, [stateRows, nHeads, headDim, dState]),
  };
}
