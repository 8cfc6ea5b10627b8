/**
 * State-space duality (Mamba-2): one scan, three forms that give the same numbers in float64.
 *
 *   dt = clamp(softplus(dtRaw + dtBias), dtLimit)
 *   H[t] = exp(dt[t] A) H[t-1] + dt[t] x[t] B[t]^T         (for each head; A is one number)
 *   out[t] = (H[t] C[t] + D x[t]) SiLU(z[t])
 *
 * `recurrent.ts`, `masked-attention.ts` and `chunked.ts` hold the mathematics of one head; this file cuts the
 * batch into heads and sequences and adds skip and gate.
 * Source: Dao & Gu 2024, "Transformers are SSMs", arXiv:2405.21060.
 */
import type { SsdChunkScanInputs } from '../../kernels/ssm-args.js';
import { type Float64Tensor, float64Tensor } from '../float64-tensor.js';
import { applyGate } from '../gate.js';
import { chunkedHead } from './chunked.js';
import { maskedAttentionHead } from './masked-attention.js';
import { recurrentHead } from './recurrent.js';
import { checkSsdChunkScanShapes } from './shapes.js';
import {
  addRows,
  cutHead,
  loadSsdData,
  type SsdData,
  type SsdHead,
  type SsdHeadResult,
  skipIndex,
} from './ssd-data.js';

/** Result of the forward pass. */
export interface SsdChunkScanResult {
  /** (B, L, H, P) */
  readonly out: Float64Tensor;
  /** State after the last step, (B, H, P, N) or (S, H, P, N). */
  readonly finalStates: Float64Tensor;
}

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
  return runHeads(inputs, chunkedHead);
}

/**
 * SSD in its recurrent form in float64: the same result as `ssdChunkScanRef`, one step after another.
 * Takes the same inputs; `chunkSize` does not change the result of any form.
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming the argument.
 */
export function ssdRecurrentRef(inputs: SsdChunkScanInputs): SsdChunkScanResult {
  return runHeads(inputs, recurrentHead);
}

/**
 * SSD in its masked-attention form in float64: the same result as `ssdChunkScanRef`, as one lower triangular
 * matrix product per head. Work and memory grow as L^2.
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming the argument.
 */
export function ssdMaskedAttentionRef(inputs: SsdChunkScanInputs): SsdChunkScanResult {
  return runHeads(inputs, maskedAttentionHead);
}

function runHeads(
  inputs: SsdChunkScanInputs,
  form: (head: SsdHead, chunkSize: number) => SsdHeadResult,
): SsdChunkScanResult {
  const op = 'ssdChunkScan';
  const dims = checkSsdChunkScanShapes(op, inputs);
  const data = loadSsdData(op, inputs, dims);
  const { batch, seqLen, nHeads, headDim, dState, stateRows } = dims;
  const out = new Float64Array(data.x.length);
  const stateSize = headDim * dState;
  const finalStates = new Float64Array(stateRows * nHeads * stateSize);
  for (const span of data.spans) {
    for (let h = 0; h < nHeads; h++) {
      const head = cutHead(data, span, h);
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

/** Adds D x to y, both (L, P). */
export function addSkip({ dims, D }: SsdData, head: SsdHead, h: number, y: Float64Array): void {
  if (D === undefined) return;
  for (let i = 0; i < y.length; i++) {
    const skip = D[skipIndex(dims, h, i % head.headDim)] as number;
    y[i] = (y[i] as number) + skip * (head.x[i] as number);
  }
}
