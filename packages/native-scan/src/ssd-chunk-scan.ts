/** The chunked state-space-duality scan of Mamba-2, forward and backward, on the best backend. */
import { checkSsdChunkScanShapes, type SsdChunkScanInputs, type TensorLike } from '@statespace/ssd-core';
import type { BackwardOptions } from './gradient-outputs.js';
import type { HostTensor } from './layout.js';
import { type AsyncOptions, type CallOptions, runPlan, runPlanAsync } from './planned-call.js';
import { planSsdBackward, planSsdForward, type SsdGradientName } from './ssd-plan.js';

/** Inputs, outputs and options of the forward call. */
export interface SsdChunkScanOptions extends SsdChunkScanInputs, CallOptions {
  /** Also give the states after the last step. Default false. */
  readonly returnFinalStates?: boolean;
  /** Where to put the output, of any strides whose entries are separate; a fresh array when absent. */
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
 * @param options x, z (B, L, H, P); dt (B, L, H), a positive step after softplus; A (H), negative; B, C (B, L, G, N),
 * heads shared out over groups in order; D (H) or (H, P); dtBias (H); initialStates (B, H, P, N); `chunkSize` steps
 * per chunk (default 64; the result does not depend on it beyond rounding); sequences by
 * `cuSeqlens` (S + 1), `seqIdx` (B, L) or `lengths` (B), walked backwards with `reverse`. Tensors with a length may have any
 * strides, and f16 or bf16. `layout: 'bdl'` means x (B, H, P, L), dt (B, H, L),
 * B, C (B, G, N, L).
 * @returns `out` (B, L, H, P) and, where asked for, `finalStates` (B, H, P, N).
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming the argument, before anything is written.
 * @throws {BackendUnavailableError} for a backend that was named and cannot be had.
 */
export function ssdChunkScan(options: SsdChunkScanOptions): SsdChunkScanResult {
  const { backend, args, outputs } = planSsdForward('ssdChunkScan', checkSsdChunkScanShapes, options);
  return runPlan(backend, 'ssdChunkScan', args, outputs) as SsdChunkScanResult;
}

/** `ssdChunkScan` off the calling thread; ordinary arrays are copied first. @throws {AbortedError} also. */
export async function ssdChunkScanAsync(
  options: SsdChunkScanOptions & AsyncOptions,
): Promise<SsdChunkScanResult> {
  const plan = planSsdForward('ssdChunkScanAsync', checkSsdChunkScanShapes, options);
  const result = await runPlanAsync(plan.backend, 'ssdChunkScan', plan.args, plan.outputs, plan.signal);
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

/** Inputs of the backward call, which gradients to compute, and buffers for them under their own names. */
export type SsdChunkScanBackwardOptions = SsdChunkScanBackwardInputs & BackwardOptions<SsdGradientName>;

/**
 * Gradients of `ssdChunkScan`, by the reverse recurrence G[t] = gradOut[t] C[t]^T + exp(Delta[t+1] A) G[t+1] over
 * chunks; the decay gradient is summed over the rectangle of pairs, which needs no subtraction.
 *
 * @param options those of the forward, `gradOut` (B, L, H, P) and optionally `gradFinalStates` (B, H, P, N).
 * @returns the gradients of the inputs that were given, or those named in `gradients`; in `gradX` and its
 * like where those are given.
 * @throws as `ssdChunkScan`; {ArgumentError} also for the gradient of an input that is absent.
 */
export function ssdChunkScanBackward(options: SsdChunkScanBackwardOptions): SsdChunkScanGradients {
  const plan = planSsdBackward('ssdChunkScanBackward', checkSsdChunkScanShapes, options);
  return runPlan(plan.backend, 'ssdChunkScanBackward', plan.args, plan.outputs);
}

/** `ssdChunkScanBackward` off the calling thread; ordinary arrays are copied first. @throws {AbortedError} also. */
export async function ssdChunkScanBackwardAsync(
  options: SsdChunkScanBackwardOptions & AsyncOptions,
): Promise<SsdChunkScanGradients> {
  const plan = planSsdBackward('ssdChunkScanBackwardAsync', checkSsdChunkScanShapes, options);
  return runPlanAsync(plan.backend, 'ssdChunkScanBackward', plan.args, plan.outputs, plan.signal);
}
