/** The selective scan of Mamba-1, forward and backward, on the best backend. */
import {
  checkSelectiveScanShapes,
  type SelectiveScanDims,
  type SelectiveScanInputs,
  selectiveScanCheckpointShape,
  type TensorLike,
  tensorDType,
} from '@statespace/ssd-core';
import { type Backend, backendFor } from './backend.js';
import { type BackwardOptions, gradientOutputs, wantedGradients } from './gradient-outputs.js';
import { asLengthSecond, checkLayout, type HostTensor, makeOutput, type SequenceLayout } from './layout.js';
import { callKeys, readOptions, sequenceKeys } from './options.js';
import {
  type AsyncOptions,
  type CallOptions,
  type Outputs,
  runPlan,
  runPlanAsync,
  targetsOf,
} from './planned-call.js';
import { maxState } from './ssm/selective-scan.js';

/** Inputs, outputs and options of the forward call. */
export interface SelectiveScanOptions extends SelectiveScanInputs, CallOptions {
  /** Also give the state after the last step. Default false. */
  readonly returnLastState?: boolean;
  /** Where to put the output, of any strides whose entries are separate; a fresh array when absent. */
  readonly out?: TensorLike;
  /** Where to put the last state, (B, D, N) or (S, D, N), contiguous. */
  readonly lastState?: TensorLike;
  /**
   * Also give the states that the backward call would compute again: a quarter of its time, for as much memory as u.
   * Default false. Not for float64, complex A or `seqIdx`.
   */
  readonly returnCheckpoints?: boolean;
  /** Where to put the checkpoints, contiguous float32. */
  readonly checkpoints?: TensorLike;
}

export interface SelectiveScanResult {
  /** (B, L, D), of u's format. */
  readonly out: HostTensor;
  /** (B, D, N) or (S, D, N), of A's format; where it was asked for. */
  readonly lastState?: HostTensor;
  /** (R, N, D), the state before every 16th step; where they were asked for. */
  readonly checkpoints?: HostTensor;
}

type Names = 'out' | 'lastState' | 'checkpoints';

interface Plan<Args, Name extends string> {
  readonly backend: Backend;
  readonly args: Args;
  readonly outputs: Outputs<Name>;
  readonly signal: AbortSignal | undefined;
}

/**
 * Selective scan: per batch row b, channel d and state n, from h[-1] = initialState or 0,
 *
 *   Delta[t] = delta[t] + deltaBias, through softplus (log1p(exp v), v above 20) with `deltaSoftplus`
 *   h[t] = exp(Delta[t] A) h[t-1] + Delta[t] u[t] B[t]
 *   y[t] = sum_n C[t, n] h[t, n] + D u[t];   out[t] = y[t] silu(z[t]) where z is given
 *
 * With complex A the state is complex and y takes 2 Re(C h). Source: Gu & Dao 2023, arXiv:2312.00752, Algorithm 2.
 *
 * @param options u, delta, z (B, L, D), delta a positive step after softplus; A (D, N); B, C (B, L, N), (B, L, G, N) or
 * constant (D, N); D, deltaBias (D); initialState (B, D, N); sequences by `cuSeqlens` (S + 1), `seqIdx`
 * (B, L) or `lengths` (B), walked backwards with `reverse`. Tensors with a length may have any strides, and f16 or bf16.
 * @returns `out` (B, L, D) and, where asked for, `lastState` (B, D, N).
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming the argument, before anything is written.
 * @throws {BackendUnavailableError} for a backend that was named and cannot be had.
 * @example
 * const f32 = (shape, fill) => ({ data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(fill), shape });
 * const { out } = selectiveScan({
 *   u: f32([1, 3, 2], 1), delta: f32([1, 3, 2], 0.5), A: f32([2, 4], -1), B: f32([1, 3, 4], 1), C: f32([1, 3, 4], 1),
 * });
 * out.data; // Float32Array(6)
 */
export function selectiveScan(options: SelectiveScanOptions): SelectiveScanResult {
  const { backend, args, outputs } = planForward('selectiveScan', options);
  return runPlan(backend, 'selectiveScan', args, outputs) as SelectiveScanResult;
}

/** `selectiveScan` off the calling thread; ordinary arrays are copied first. @throws {AbortedError} also. */
export async function selectiveScanAsync(
  options: SelectiveScanOptions & AsyncOptions,
): Promise<SelectiveScanResult> {
  const { backend, args, outputs, signal } = planForward('selectiveScanAsync', options);
  const result = await runPlanAsync(backend, 'selectiveScan', args, outputs, signal);
  return result as SelectiveScanResult;
}

export interface SelectiveScanBackwardInputs extends SelectiveScanInputs {
  /** Gradient of `out`, (B, L, D). */
  readonly gradOut: TensorLike;
  /** Gradient of `lastState`; zero when absent. */
  readonly gradLastState?: TensorLike;
  /** From the forward call with the same inputs. */
  readonly checkpoints?: TensorLike;
}

const gradientNames = [
  'gradU',
  'gradDelta',
  'gradA',
  'gradB',
  'gradC',
  'gradD',
  'gradZ',
  'gradDeltaBias',
  'gradInitialState',
] as const;

/** Gradients of the selective scan, each of the shape and format of its input. */
export type SelectiveScanGradients = Readonly<Partial<Record<(typeof gradientNames)[number], HostTensor>>>;

/** Inputs of the backward call, which gradients to compute, and buffers for them under their own names. */
export type SelectiveScanBackwardOptions = SelectiveScanBackwardInputs &
  BackwardOptions<(typeof gradientNames)[number]>;

/**
 * Gradients of `selectiveScan`: with g the gradient of h and p[t] = exp(Delta[t] A) h[t-1],
 *
 *   g[t] = dy[t] C[t] + exp(Delta[t+1] A) g[t+1];   gradA = sum Delta g p;   gradB[t] = sum_d Delta u g;
 *   gradC[t] = sum_d dy h;   dDelta[t] = u <g, B> + <g, A p>;   gradU[t] = D dy + Delta <g, B>
 *
 * Complex gradients follow dL/dRe + i dL/dIm. The states are recomputed from the inputs, unless the forward
 * has kept them as `checkpoints`.
 *
 * @param options those of the forward, `gradOut` (B, L, D) and optionally `gradLastState` (B, D, N).
 * @returns the gradients of the inputs that were given, or those named in `gradients`; in `gradU` and its
 * like where those are given.
 * @throws as `selectiveScan`; {ArgumentError} also for the gradient of an input that is absent.
 */
export function selectiveScanBackward(options: SelectiveScanBackwardOptions): SelectiveScanGradients {
  const { backend, args, outputs } = planBackward('selectiveScanBackward', options);
  return runPlan(backend, 'selectiveScanBackward', args, outputs);
}

/** `selectiveScanBackward` off the calling thread; ordinary arrays are copied first. @throws {AbortedError} also. */
export async function selectiveScanBackwardAsync(
  options: SelectiveScanBackwardOptions & AsyncOptions,
): Promise<SelectiveScanGradients> {
  const { backend, args, outputs, signal } = planBackward('selectiveScanBackwardAsync', options);
  return runPlanAsync(backend, 'selectiveScanBackward', args, outputs, signal);
}

const inputKeys = [
  'u',
  'delta',
  'A',
  'B',
  'C',
  'D',
  'z',
  'deltaBias',
  'deltaSoftplus',
  'initialState',
  ...sequenceKeys,
] as const;
const forwardKeys = [
  ...inputKeys,
  ...callKeys,
  'returnLastState',
  'out',
  'lastState',
  'returnCheckpoints',
  'checkpoints',
];
const backwardKeys = [
  ...inputKeys,
  ...callKeys,
  'gradOut',
  'gradLastState',
  'checkpoints',
  'gradients',
  ...gradientNames,
];

function planForward(
  op: string,
  given: SelectiveScanOptions & AsyncOptions,
): Plan<SelectiveScanInputs & { readonly out: TensorLike }, Names> {
  const options = readOptions(op, given, forwardKeys);
  const layout = checkLayout(op, options.layout);
  const inputs = inLengthSecond(options, layout);
  const dims = checkSelectiveScanShapes(op, inputs);
  const backend = chooseBackend(op, inputs, dims, options);
  const wantsState = options.returnLastState === true || options.lastState !== undefined;
  const wantsCheckpoints = options.returnCheckpoints === true || options.checkpoints !== undefined;
  const outputs: Outputs<Names> & { readonly out: object } = {
    out: makeOutput({
      op,
      argument: 'out',
      shape: inputs.u.shape,
      dtype: tensorDType(inputs.u),
      given: options.out,
      layout,
    }),
    ...(wantsState && {
      lastState: makeOutput({
        op,
        argument: 'lastState',
        shape: stateShape(dims),
        dtype: tensorDType(inputs.A),
        given: options.lastState,
        layout: 'bld',
      }),
    }),
    ...(wantsCheckpoints && {
      checkpoints: makeOutput({
        op,
        argument: 'checkpoints',
        shape: selectiveScanCheckpointShape(op, dims, inputs),
        dtype: 'f32',
        given: options.checkpoints,
        layout: 'bld',
      }),
    }),
  };
  const targets = targetsOf<Names>(outputs);
  const args = { ...inputs, ...targets, out: targets.out as TensorLike };
  return { backend, outputs, args, signal: options.signal };
}

function planBackward(
  op: string,
  given: SelectiveScanBackwardOptions & AsyncOptions,
): Plan<SelectiveScanBackwardInputs, (typeof gradientNames)[number]> {
  const options = readOptions(op, given, backwardKeys);
  const layout = checkLayout(op, options.layout);
  const inputs = { ...inLengthSecond(options, layout), gradOut: asLengthSecond(options.gradOut, layout) };
  const dims = checkSelectiveScanShapes(op, inputs);
  const backend = chooseBackend(op, inputs, dims, options, [
    inputs.gradOut,
    inputs.gradLastState,
    inputs.checkpoints,
  ]);
  const sources = {
    gradU: inputs.u,
    gradDelta: inputs.delta,
    gradA: inputs.A,
    gradB: inputs.B,
    gradC: inputs.C,
    gradD: inputs.D,
    gradZ: inputs.z,
    gradDeltaBias: inputs.deltaBias,
    gradInitialState: inputs.initialState,
  };
  const sequences = new Set(['gradU', 'gradDelta', 'gradZ']);
  if (dims.groupsB > 0) sequences.add('gradB');
  if (dims.groupsC > 0) sequences.add('gradC');
  const outputs = gradientOutputs({
    op,
    sources,
    wanted: wantedGradients(op, gradientNames, sources, options),
    given: options,
    layout: (name) => (sequences.has(name) ? layout : 'bld'),
    pairs: (name) => dims.complex && (name === 'gradB' || name === 'gradC'),
  });
  return { backend, outputs, args: { ...inputs, ...targetsOf(outputs) }, signal: options.signal };
}

/** The inputs with their length second; constant B and C have none. */
function inLengthSecond<Inputs extends SelectiveScanInputs>(inputs: Inputs, layout: SequenceLayout): Inputs {
  if (layout === 'bld') return inputs;
  const complex = inputs.A?.shape?.length === 3;
  const coefficient = (tensor: TensorLike) =>
    (tensor?.shape?.length ?? 0) > (complex ? 3 : 2) ? asLengthSecond(tensor, layout, complex) : tensor;
  return {
    ...inputs,
    u: asLengthSecond(inputs.u, layout),
    delta: asLengthSecond(inputs.delta, layout),
    B: coefficient(inputs.B),
    C: coefficient(inputs.C),
    ...(inputs.z !== undefined && { z: asLengthSecond(inputs.z, layout) }),
  };
}

function chooseBackend(
  op: string,
  { u, delta, A, B, C, D, z, deltaBias, initialState }: SelectiveScanInputs,
  dims: SelectiveScanDims,
  options: CallOptions,
  more: readonly (TensorLike | undefined)[] = [],
): Backend {
  const tensors = [u, delta, A, B, C, D, z, deltaBias, initialState, ...more];
  return backendFor(op, options.backend, tensors, dims.dState <= maxState);
}

function stateShape({ stateRows, dInner, dState, complex }: SelectiveScanDims): number[] {
  return complex ? [stateRows, dInner, dState, 2] : [stateRows, dInner, dState];
}
