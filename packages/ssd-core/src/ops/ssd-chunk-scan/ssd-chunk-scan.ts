/**
 * State-space duality (Mamba-2): one scan, three forms that give the same numbers in float64.
 *
 *   dt = clamp(softplus(dtRaw + dtBias), dtLimit)
 *   H[t] = exp(dt[t] A) H[t-1] + dt[t] x[t] B[t]^T         (for each head; A is one number)
 *   out[t] = (H[t] C[t] + D x[t]) SiLU(z[t])
 *
 * `recurrent.ts`, `masked-attention.ts` and `chunked.ts` hold the mathematics of one head; `heads.ts` cuts the
 * batch into heads and sequences and adds skip and gate.
 * Source: Dao & Gu 2024, "Transformers are SSMs", arXiv:2405.21060.
 */
import type { SsdChunkScanInputs } from '../../kernels/ssm-args.js';
import { chunkedHead } from './chunked.js';
import { type HeadForm, runHeads, type SsdChunkScanResult } from './heads.js';
import { maskedAttentionHead } from './masked-attention.js';
import { recurrentHead } from './recurrent.js';
import { checkSsdChunkScanShapes } from './shapes.js';
import { cutHead } from './ssd-data.js';

export type { SsdChunkScanResult } from './heads.js';

/**
 * SSD in its chunked form in float64, the oracle of every `ssdChunkScan` kernel.
 *
 * x, z (B, L, H, P); dt (B, L, H), a step in units of 1/|A| before bias and softplus; A (H), negative; B, C
 * (B, L, G, N); D (H) or (H, P); dtBias (H); initialStates (B, H, P, N). Work grows as L Q, memory as Q^2, with
 * Q = chunkSize.
 * @returns out (B, L, H, P) and finalStates (B, H, P, N).
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming the argument.
 * @example
 * const ones = { data: Float64Array.of(1, 1), shape: [1, 2, 1, 1] };
 * const dt = { data: Float64Array.of(1, 1), shape: [1, 2, 1] };
 * const A = { data: Float64Array.of(-1), shape: [1] };
 * ssdChunkScanRef({ x: ones, dt, A, B: ones, C: ones, chunkSize: 1 }).out.data; // 1, 1 + exp(-1)
 */
export function ssdChunkScanRef(inputs: SsdChunkScanInputs): SsdChunkScanResult {
  return run(inputs, chunkedHead);
}

/**
 * SSD in its recurrent form in float64: the same result as `ssdChunkScanRef`, one step after another.
 * Takes the same inputs; `chunkSize` does not change the result of any form.
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming the argument.
 */
export function ssdRecurrentRef(inputs: SsdChunkScanInputs): SsdChunkScanResult {
  return run(inputs, recurrentHead);
}

/**
 * SSD in its masked-attention form in float64: the same result as `ssdChunkScanRef`, as one lower triangular
 * matrix product per head. Work and memory grow as L^2.
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming the argument.
 */
export function ssdMaskedAttentionRef(inputs: SsdChunkScanInputs): SsdChunkScanResult {
  return run(inputs, maskedAttentionHead);
}

function run(inputs: SsdChunkScanInputs, form: HeadForm): SsdChunkScanResult {
  const op = 'ssdChunkScan';
  return runHeads(op, inputs, checkSsdChunkScanShapes(op, inputs), cutHead, form);
}
