/** The chunked state-space-duality scan of Mamba-2, forward and backward, on the best backend. */
import { checkSsdChunkScanShapes, type SsdChunkScanInputs, type TensorLike } from '@statespace/ssd-core';
import type { BackwardOptions } from './gradient-outputs.js';
import type { HostTensor } from './layout.js';
import { type AsyncOptions, type CallOptions, runPlan, runPlanAsync } from './planned-call.js';
import { planSsdBackward, planSsdForward, type SsdGradientName } from './ssd-plan.js';

export interface SsdChunkScanOptions extends CallOptions {
  /** Also give the states after the last step. Default false. */
  readonly returnFinalStates?: boolean;
  /** Where to put the output, contiguous; a fresh array when absent. */
  readonly out?: TensorLike;
  /** Where to put the final states, (B, H, P, N) or (S, H, P, N), contiguous. */
  readonly finalStates?: TensorLike;
}

export interface SsdChunkScanResult {
  /** (B, L, H, P), of x's format. */
  readonly out: HostTensor;
  /** (B, H, P, N) or (S, H, P, N); where they were asked for. */
  readonly finalStates?: HostTensor;
}

/**
 * State-space duality (Mamba-2), chunk by chunk as masked attention plus a carried state. Per head,
 *
 *   Delta[t] = clamp(softplus?(dt[t] + dtBias), dtLimit)
 *   H[t] = exp(Delta[t] A) H[t-1] + Delta[t] x[t] B[t]^T;   y[t] = H[t] C[t] + D x[t];   out = y or y silu(z)
 *
 * Source: Dao & Gu 2024, arXiv:2405.21060, section 6.
 *
 * @param inputs x, z (B, L, H, P); dt (B, L, H), a positive step after softplus; A (H), negative; B, C (B, L, G, N),
 * heads shared out over groups in order; D (H) or (H, P); dtBias (H); initialStates (B, H, P, N); `chunkSize` steps
 * per chunk (default 64; the result does not depend on it beyond rounding); `cuSeqlens` (S + 1) packs S sequences.
 * Any strides work; those with gaps behind the length are copied. `layout: 'bdl'` means x (B, H, P, L), dt (B, H, L),
 * B, C (B, G, N, L).
 * @returns `out` (B, L, H, P) and, where asked for, `finalStates` (B, H, P, N).
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming the argument, before anything is written.
 * @throws {BackendUnavailableError} for a backend that was named and cannot be had.
 */
export function ssdChunkScan(
  inputs: SsdChunkScanInputs,
  options: SsdChunkScanOptions = {},
): SsdChunkScanResult {
  const { backend, args, outputs } = planSsdForward('ssdChunkScan', checkSsdChunkScanShapes, inputs, options);
  return runPlan(backend, 'ssdChunkScan', args, outputs) as SsdChunkScanResult;
}

/** `ssdChunkScan` off the calling thread; ordinary arrays are copied first. @throws {AbortedError} also. */
export async function ssdChunkScanAsync(
  inputs: SsdChunkScanInputs,
  options: SsdChunkScanOptions & AsyncOptions = {},
): Promise<SsdChunkScanResult> {
  const { backend, args, outputs } = planSsdForward(
    'ssdChunkScanAsync',
    checkSsdChunkScanShapes,
    inputs,
    options,
  );
  const result = await runPlanAsync(backend, 'ssdChunkScan', args, outputs, options.signal);
  return result as SsdChunkScanResult;
}

export interface SsdChunkScanBackwardInputs extends SsdChunkScanInputs {
  /** Gradient of `out`, (B, L, H, P). */
  readonly gradOut: TensorLike;
  /** Gradient of `finalStates`; zero when absent. */
  readonly gradFinalStates?: TensorLike;
}

/** Gradients of the SSD scan, each of the shape and format of its input. */
export type SsdChunkScanGradients = Readonly<Partial<Record<SsdGradientName, HostTensor>>>;

/** Which gradients to compute, and buffers for them under their own names. */
export type SsdChunkScanBackwardOptions = BackwardOptions<SsdGradientName>;

/**
 * Gradients of `ssdChunkScan`, by the reverse recurrence G[t] = gradOut[t] C[t]^T + exp(Delta[t+1] A) G[t+1] over
 * chunks; the decay gradient is summed over the rectangle of pairs, which needs no subtraction.
 *
 * @param inputs those of the forward, `gradOut` (B, L, H, P) and optionally `gradFinalStates` (B, H, P, N).
 * @returns the gradients of the inputs that were given, or those named in `options.gradients`; in `options.gradX` and
 * its like where those are given.
 * @throws as `ssdChunkScan`; {ArgumentError} also for the gradient of an input that is absent.
 */
export function ssdChunkScanBackward(
  inputs: SsdChunkScanBackwardInputs,
  options: SsdChunkScanBackwardOptions = {},
): SsdChunkScanGradients {
  const { backend, args, outputs } = planSsdBackward(
    'ssdChunkScanBackward',
    checkSsdChunkScanShapes,
    inputs,
    options,
  );
  return runPlan(backend, 'ssdChunkScanBackward', args, outputs);
}

/** `ssdChunkScanBackward` off the calling thread; ordinary arrays are copied first. @throws {AbortedError} also. */
export async function ssdChunkScanBackwardAsync(
  inputs: SsdChunkScanBackwardInputs,
  options: SsdChunkScanBackwardOptions & AsyncOptions = {},
): Promise<SsdChunkScanGradients> {
  const { backend, args, outputs } = planSsdBackward(
    'ssdChunkScanBackwardAsync',
    checkSsdChunkScanShapes,
    inputs,
    options,
  );
  return runPlanAsync(backend, 'ssdChunkScanBackward', args, outputs, options.signal);
}
