/** One-step updates for decoding, on the best backend. Both change their state in place. */
import {
  type CausalConv1dUpdateInputs,
  checkCausalConv1dUpdateShapes,
  checkSelectiveStateUpdateShapes,
  type SelectiveStateUpdateInputs,
  type TensorLike,
  tensorDType,
} from '@statespace/ssd-core';
import { type BackendChoice, backendFor } from './backend.js';
import { type HostTensor, makeOutput } from './layout.js';
import { readOptions } from './options.js';
import { type AsyncOptions, runPlan, runPlanAsync } from './planned-call.js';
import { maxWidth } from './ssm/causal-conv1d.js';

export interface UpdateOptions {
  /** Default `'auto'`: the fastest backend that can do the call. */
  readonly backend?: BackendChoice;
  /** Where to put the output, of the shape of x and any strides whose entries are separate; a fresh array when absent. */
  readonly out?: TensorLike;
}

/** Inputs and options of a step of the scan. */
export type SelectiveStateUpdateOptions = SelectiveStateUpdateInputs & UpdateOptions;

/** Inputs and options of a step of the convolution. */
export type CausalConv1dUpdateOptions = CausalConv1dUpdateInputs & UpdateOptions;

export interface UpdateResult {
  /** Of the shape and format of x. */
  readonly out: HostTensor;
}

/**
 * One step of the selective scan or of SSD; `state` becomes the new state.
 *
 *   Delta = clamp(softplus?(dt + dtBias), dtLimit);   h <- exp(Delta A) h + Delta x B
 *   out = <C, h> + D x, times silu(z) where z is given
 *
 * Mamba-1: state (B, D, N), x, dt, z (B, D), A (D, N), B, C (B, N) or (B, G, N), D, dtBias (D).
 * Mamba-2: state (B, H, P, N), x, z (B, H, P), dt (B, H) or (B, H, P), A (H) or (H, P, N), B, C (B, G, N),
 * D, dtBias (H) or (H, P). `stateBatchIndices` i32 (B) chooses the row of `state` for each sequence; a negative one
 * marks padding, whose output is 0. Source: Gu & Dao 2023, arXiv:2312.00752; mamba_ssm selective_state_update.
 *
 * @returns `out` of the shape of x.
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming the argument, before anything is written.
 * @throws {BackendUnavailableError} for a backend that was named and cannot be had.
 */
export function selectiveStateUpdate(options: SelectiveStateUpdateOptions): UpdateResult {
  const { backend, args, outputs } = planStateUpdate('selectiveStateUpdate', options);
  return runPlan(backend, 'selectiveStateUpdate', args, outputs) as UpdateResult;
}

/** `selectiveStateUpdate` off the calling thread; ordinary arrays are copied in and out. @throws {AbortedError} also. */
export async function selectiveStateUpdateAsync(
  options: SelectiveStateUpdateOptions & AsyncOptions,
): Promise<UpdateResult> {
  const { backend, args, outputs, signal } = planStateUpdate('selectiveStateUpdateAsync', options);
  const result: unknown = await runPlanAsync(backend, 'selectiveStateUpdate', args, outputs, signal);
  return result as UpdateResult;
}

/**
 * One or more steps of the causal convolution; x enters `convState`.
 *
 *   out[t] = act(bias + sum_w weight[w] xs[t + w]),  xs = [last W-1 inputs, x]
 *
 * x (B, D) or (B, L, D); convState (B, D, S), S >= W-1, oldest first, or with `cacheSeqlens` i32 (B), the steps
 * written so far, a ring buffer in which step s stands at s mod S; weight (D, W); bias (D). `convStateIndices` i32 (B)
 * chooses the row of `convState`; a negative one marks padding, whose output is 0. Source: Dao-AILab/causal-conv1d.
 *
 * @returns `out` of the shape of x. @throws as `selectiveStateUpdate`.
 */
export function causalConv1dUpdate(options: CausalConv1dUpdateOptions): UpdateResult {
  const { backend, args, outputs } = planConvUpdate('causalConv1dUpdate', options);
  return runPlan(backend, 'causalConv1dUpdate', args, outputs) as UpdateResult;
}

/** `causalConv1dUpdate` off the calling thread; ordinary arrays are copied in and out. @throws {AbortedError} also. */
export async function causalConv1dUpdateAsync(
  options: CausalConv1dUpdateOptions & AsyncOptions,
): Promise<UpdateResult> {
  const { backend, args, outputs, signal } = planConvUpdate('causalConv1dUpdateAsync', options);
  const result: unknown = await runPlanAsync(backend, 'causalConv1dUpdate', args, outputs, signal);
  return result as UpdateResult;
}

const updateKeys = ['backend', 'out'];
const stateUpdateKeys = [
  ...updateKeys,
  'state',
  'x',
  'dt',
  'A',
  'B',
  'C',
  'D',
  'z',
  'dtBias',
  'dtSoftplus',
  'dtLimit',
  'stateBatchIndices',
];
const convUpdateKeys = [
  ...updateKeys,
  'x',
  'convState',
  'weight',
  'bias',
  'activation',
  'cacheSeqlens',
  'convStateIndices',
];

function planStateUpdate(op: string, given: SelectiveStateUpdateOptions & AsyncOptions) {
  const options = readOptions(op, given, stateUpdateKeys);
  checkSelectiveStateUpdateShapes(op, options);
  const { state, x, dt, A, B, C, D, z, dtBias } = options;
  return planUpdate(op, options, [state, x, dt, A, B, C, D, z, dtBias], true);
}

function planConvUpdate(op: string, given: CausalConv1dUpdateOptions & AsyncOptions) {
  const options = readOptions(op, given, convUpdateKeys);
  const { width } = checkCausalConv1dUpdateShapes(op, options);
  const { x, convState, weight, bias } = options;
  return planUpdate(op, options, [x, convState, weight, bias], width <= maxWidth);
}

function planUpdate<Options extends { readonly x: TensorLike } & UpdateOptions & AsyncOptions>(
  op: string,
  options: Options,
  tensors: readonly (TensorLike | undefined)[],
  fits: boolean,
) {
  const { x, signal } = options;
  const backend = backendFor(op, options.backend, tensors, fits);
  const output = makeOutput({
    op,
    argument: 'out',
    shape: x.shape,
    dtype: tensorDType(x),
    given: options.out,
    layout: 'bld',
  });
  return { backend, outputs: { out: output }, args: { ...options, out: output.target }, signal };
}
