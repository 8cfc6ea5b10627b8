/** The chunked state-space-duality scan of Mamba-2, forward and backward, on the best backend. */
import {
  checkSsdChunkScanShapes,
  type SsdChunkScanInputs,
  type TensorLike,
  tensorDType,
} from '@statespace/ssd-core';
import { type Backend, backendFor } from './backend.js';
import { type BackwardOptions, gradientOutputs, wantedGradients } from './gradient-outputs.js';
import { asLengthSecond, checkLayout, type HostTensor, makeOutput, type SequenceLayout } from './layout.js';
import {
  type AsyncOptions,
  type CallOptions,
  type Outputs,
  runPlan,
  runPlanAsync,
  targetsOf,
} from './planned-call.js';

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

type Names = 'out' | 'finalStates';

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
  const { backend, args, outputs } = planForward('ssdChunkScan', inputs, options);
  return runPlan(backend, 'ssdChunkScan', args, outputs) as SsdChunkScanResult;
}

/** `ssdChunkScan` off the calling thread; ordinary arrays are copied first. @throws {AbortedError} also. */
export async function ssdChunkScanAsync(
  inputs: SsdChunkScanInputs,
  options: SsdChunkScanOptions & AsyncOptions = {},
): Promise<SsdChunkScanResult> {
  const { backend, args, outputs } = planForward('ssdChunkScanAsync', inputs, options);
  const result = await runPlanAsync(backend, 'ssdChunkScan', args, outputs, options.signal);
  return result as SsdChunkScanResult;
}

export interface SsdChunkScanBackwardInputs extends SsdChunkScanInputs {
  /** Gradient of `out`, (B, L, H, P). */
  readonly gradOut: TensorLike;
  /** Gradient of `finalStates`; zero when absent. */
  readonly gradFinalStates?: TensorLike;
}

const gradientNames = [
  'gradX',
  'gradDt',
  'gradA',
  'gradB',
  'gradC',
  'gradD',
  'gradZ',
  'gradDtBias',
  'gradInitialStates',
] as const;

const sequenceGradients: readonly string[] = ['gradX', 'gradDt', 'gradB', 'gradC', 'gradZ'];

/** Gradients of the SSD scan, each of the shape and format of its input. */
export type SsdChunkScanGradients = Readonly<Partial<Record<(typeof gradientNames)[number], HostTensor>>>;

/** Which gradients to compute, and buffers for them under their own names. */
export type SsdChunkScanBackwardOptions = BackwardOptions<(typeof gradientNames)[number]>;

/**
 * Gradients of `ssdChunkScan`, by the reverse recurrence G[t] = gradOut[t] C[t]^T + exp(Delta[t+1] A) G[t+1] over
 * chunks; the decay gradient is summed over the rectangle of pairs, which needs no subtraction.
 *
 * @param inputs those of the forward, `gradOut` (B, L, H, P) and optionally `gradFinalStates` (B, H, P, N).
 * @returns the gradients of the inputs that were given, or those named in `options.gradients`; in `options.gradU` and
 * its like where those are given.
 * @throws as `ssdChunkScan`; {ArgumentError} also for the gradient of an input that is absent.
 */
export function ssdChunkScanBackward(
  inputs: SsdChunkScanBackwardInputs,
  options: SsdChunkScanBackwardOptions = {},
): SsdChunkScanGradients {
  const { backend, args, outputs } = planBackward('ssdChunkScanBackward', inputs, options);
  return runPlan(backend, 'ssdChunkScanBackward', args, outputs);
}

/** `ssdChunkScanBackward` off the calling thread; ordinary arrays are copied first. @throws {AbortedError} also. */
export async function ssdChunkScanBackwardAsync(
  inputs: SsdChunkScanBackwardInputs,
  options: SsdChunkScanBackwardOptions & AsyncOptions = {},
): Promise<SsdChunkScanGradients> {
  const { backend, args, outputs } = planBackward('ssdChunkScanBackwardAsync', inputs, options);
  return runPlanAsync(backend, 'ssdChunkScanBackward', args, outputs, options.signal);
}

function planForward(op: string, given: SsdChunkScanInputs, options: SsdChunkScanOptions) {
  const layout = checkLayout(op, options.layout);
  const inputs = inLengthSecond(given, layout);
  const dims = checkSsdChunkScanShapes(op, inputs);
  const backend = chooseBackend(op, inputs, options);
  const { kernels } = backend;
  const dtype = tensorDType(inputs.x);
  const wantsStates = options.returnFinalStates === true || options.finalStates !== undefined;
  const outputs: Outputs<Names> = {
    out: makeOutput(kernels, {
      op,
      argument: 'out',
      shape: inputs.x.shape,
      dtype,
      given: options.out,
      layout,
    }),
    ...(wantsStates && {
      finalStates: makeOutput(kernels, {
        op,
        argument: 'finalStates',
        shape: [dims.stateRows, dims.nHeads, dims.headDim, dims.dState],
        dtype,
        given: options.finalStates,
        layout: 'bld',
      }),
    }),
  };
  const targets = targetsOf<Names>(outputs);
  return { backend, outputs, args: { ...inputs, ...targets, out: targets.out as TensorLike } };
}

function planBackward(op: string, given: SsdChunkScanBackwardInputs, options: SsdChunkScanBackwardOptions) {
  const layout = checkLayout(op, options.layout);
  const inputs: SsdChunkScanBackwardInputs = {
    ...given,
    ...inLengthSecond(given, layout),
    gradOut: asLengthSecond(given.gradOut, layout),
  };
  checkSsdChunkScanShapes(op, inputs);
  const backend = chooseBackend(op, inputs, options, [inputs.gradOut, inputs.gradFinalStates]);
  const sources = {
    gradX: inputs.x,
    gradDt: inputs.dt,
    gradA: inputs.A,
    gradB: inputs.B,
    gradC: inputs.C,
    gradD: inputs.D,
    gradZ: inputs.z,
    gradDtBias: inputs.dtBias,
    gradInitialStates: inputs.initialStates,
  };
  const outputs = gradientOutputs(backend.kernels, {
    op,
    sources,
    wanted: wantedGradients(op, gradientNames, sources, options),
    given: options,
    layout: (name) => (sequenceGradients.includes(name) ? layout : 'bld'),
  });
  return { backend, outputs, args: { ...inputs, ...targetsOf(outputs) } };
}

function inLengthSecond(inputs: SsdChunkScanInputs, layout: SequenceLayout): SsdChunkScanInputs {
  if (layout === 'bld') return inputs;
  return {
    ...inputs,
    x: asLengthSecond(inputs.x, layout),
    dt: asLengthSecond(inputs.dt, layout),
    B: asLengthSecond(inputs.B, layout),
    C: asLengthSecond(inputs.C, layout),
    ...(inputs.z !== undefined && { z: asLengthSecond(inputs.z, layout) }),
  };
}

function chooseBackend(
  op: string,
  { x, dt, A, B, C, D, z, dtBias, initialStates }: SsdChunkScanInputs,
  options: CallOptions,
  more: readonly (TensorLike | undefined)[] = [],
): Backend {
  return backendFor(op, options.backend, [x, dt, A, B, C, D, z, dtBias, initialStates, ...more]);
}
