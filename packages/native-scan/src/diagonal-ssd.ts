/** The SSD scan with a decay for every state, forward and backward, on the best backend. */
import { checkDiagonalSsdShapes, type DiagonalSsdInputs } from '@statespace/ssd-core';
import { type AsyncOptions, runPlan, runPlanAsync } from './planned-call.js';
import type {
  SsdChunkScanBackwardInputs,
  SsdChunkScanBackwardOptions,
  SsdChunkScanGradients,
  SsdChunkScanOptions,
  SsdChunkScanResult,
} from './ssd-chunk-scan.js';
import { planSsdBackward, planSsdForward } from './ssd-plan.js';

/** Inputs, outputs and options of the forward call: those of `ssdChunkScan`, with A (H, N). */
export type DiagonalSsdOptions = DiagonalSsdInputs & SsdChunkScanOptions;

/** `out` (B, L, H, P) of x's format and, where asked for, `finalStates` (B, H, P, N) or (S, H, P, N). */
export type DiagonalSsdResult = SsdChunkScanResult;

/**
 * Diagonal state-space duality: SSD heads with a decay for every state. Per head,
 *
 *   Delta[t] = clamp(softplus?(dt[t] + dtBias), dtLimit)
 *   H[t,p,n] = exp(Delta[t] A[n]) H[t-1,p,n] + Delta[t] x[t,p] B[t,n];   y[t] = H[t] C[t] + D x[t];   out = y or y silu(z)
 *
 * Between `ssdChunkScan`, whose heads have one decay, and `selectiveScan`, where every channel has its own: the decays
 * of a head are computed once for all of its channels.
 * Source: Hu et al. 2025, arXiv:2510.04944, section 4.
 *
 * @param options x, z (B, L, H, P); dt (B, L, H), a positive step after softplus; A (H, N), negative; B, C (B, L, G, N),
 * heads shared out over groups in order; D (H) or (H, P); dtBias (H); initialStates (B, H, P, N); `chunkSize`, an upper
 * limit of the steps that are taken together (default 64; the result does not depend on it beyond rounding);
 * sequences by `cuSeqlens` (S + 1), `seqIdx` (B, L) or `lengths` (B), walked backwards with `reverse`. Tensors with a length
 * may have any strides, and f16 or bf16.
 * `layout: 'bdl'` means x (B, H, P, L), dt (B, H, L), B, C (B, G, N, L).
 * @returns `out` (B, L, H, P) and, where asked for, `finalStates` (B, H, P, N).
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming the argument, before anything is written.
 * @throws {BackendUnavailableError} for a backend that was named and cannot be had.
 */
export function diagonalSsd(options: DiagonalSsdOptions): DiagonalSsdResult {
  const { backend, args, outputs } = planSsdForward('diagonalSsd', checkDiagonalSsdShapes, options);
  return runPlan(backend, 'diagonalSsd', args, outputs) as DiagonalSsdResult;
}

/** `diagonalSsd` off the calling thread; ordinary arrays are copied first. @throws {AbortedError} also. */
export async function diagonalSsdAsync(
  options: DiagonalSsdOptions & AsyncOptions,
): Promise<DiagonalSsdResult> {
  const plan = planSsdForward('diagonalSsdAsync', checkDiagonalSsdShapes, options);
  const result = await runPlanAsync(plan.backend, 'diagonalSsd', plan.args, plan.outputs, plan.signal);
  return result as DiagonalSsdResult;
}

/** Inputs of the forward, `gradOut` (B, L, H, P) and optionally `gradFinalStates`, zero when absent. */
export type DiagonalSsdBackwardInputs = DiagonalSsdInputs & SsdChunkScanBackwardInputs;

/** Gradients of the diagonal SSD scan, each of the shape and format of its input; that of A is (H, N). */
export type DiagonalSsdGradients = SsdChunkScanGradients;

/** Inputs and options of the backward call: those of `ssdChunkScanBackward`, with A (H, N). */
export type DiagonalSsdBackwardOptions = DiagonalSsdBackwardInputs & SsdChunkScanBackwardOptions;

/**
 * Gradients of `diagonalSsd`, by the reverse recurrence G[t] = gradOut[t] C[t]^T + G[t+1] diag(exp(Delta[t+1] A)). The
 * states that it needs are rebuilt chunk by chunk; none is kept for every step.
 *
 * @param options those of the forward, `gradOut` (B, L, H, P) and optionally `gradFinalStates` (B, H, P, N).
 * @returns the gradients of the inputs that were given, or those named in `gradients`; in `gradX` and its
 * like where those are given.
 * @throws as `diagonalSsd`; {ArgumentError} also for the gradient of an input that is absent.
 */
export function diagonalSsdBackward(options: DiagonalSsdBackwardOptions): DiagonalSsdGradients {
  const plan = planSsdBackward('diagonalSsdBackward', checkDiagonalSsdShapes, options);
  return runPlan(plan.backend, 'diagonalSsdBackward', plan.args, plan.outputs);
}

/** `diagonalSsdBackward` off the calling thread; ordinary arrays are copied first. @throws {AbortedError} also. */
export async function diagonalSsdBackwardAsync(
  options: DiagonalSsdBackwardOptions & AsyncOptions,
): Promise<DiagonalSsdGradients> {
  const plan = planSsdBackward('diagonalSsdBackwardAsync', checkDiagonalSsdShapes, options);
  return runPlanAsync(plan.backend, 'diagonalSsdBackward', plan.args, plan.outputs, plan.signal);
}
