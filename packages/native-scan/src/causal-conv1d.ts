/** The causal depthwise convolution, forward and backward, on the best backend. */
import {
  type CausalConv1dInputs,
  checkCausalConv1dShapes,
  type TensorLike,
  tensorDType,
} from '@statespace/ssd-core';
import { type Backend, backendFor } from './backend.js';
import { type BackwardOptions, gradientOutputs, wantedGradients } from './gradient-outputs.js';
import { asLengthSecond, checkLayout, type HostTensor, makeOutput } from './layout.js';
import { callKeys, readOptions, sequenceKeys } from './options.js';
import {
  type AsyncOptions,
  type CallOptions,
  type Outputs,
  runPlan,
  runPlanAsync,
  targetsOf,
} from './planned-call.js';
import { maxWidth } from './ssm/causal-conv1d.js';

/** Inputs, outputs and options of the forward call. */
export interface CausalConv1dOptions extends CausalConv1dInputs, CallOptions {
  /** Also give the last W-1 inputs. Default false. */
  readonly returnFinalStates?: boolean;
  /** Where to put the output, of any strides whose entries are separate; a fresh array when absent. */
  readonly out?: TensorLike;
  /** Where to put the final states, (B, D, W-1) or (S, D, W-1), contiguous. */
  readonly finalStates?: TensorLike;
}

export interface CausalConv1dResult {
  /** (B, L, D), of x's format. */
  readonly out: HostTensor;
  /** (B, D, W-1) or (S, D, W-1), oldest first; where they were asked for. */
  readonly finalStates?: HostTensor;
}

type Names = 'out' | 'finalStates';

/**
 * Causal depthwise convolution along the length, optionally through SiLU:
 *
 *   pre[t, d] = bias[d] + sum_w weight[d, w] x[t - W + 1 + w, d];   out = silu(pre) or pre
 *
 * Inputs before the first step come from `initialStates`, else are 0. Source: Dao-AILab/causal-conv1d.
 *
 * @param options x (B, L, D) of any strides; weight (D, W); bias (D); initialStates (B, D, W-1), oldest first;
 * sequences by `cuSeqlens` (S + 1), `seqIdx` (B, L) or `lengths` (B), walked backwards with `reverse`.
 * @returns `out` (B, L, D) and, where asked for, `finalStates` (B, D, W-1).
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming the argument, before anything is written.
 * @throws {BackendUnavailableError} for a backend that was named and cannot be had.
 */
export function causalConv1d(options: CausalConv1dOptions): CausalConv1dResult {
  const { backend, args, outputs } = planForward('causalConv1d', options);
  return runPlan(backend, 'causalConv1d', args, outputs) as CausalConv1dResult;
}

/** `causalConv1d` off the calling thread; ordinary arrays are copied first. @throws {AbortedError} also. */
export async function causalConv1dAsync(
  options: CausalConv1dOptions & AsyncOptions,
): Promise<CausalConv1dResult> {
  const { backend, args, outputs, signal } = planForward('causalConv1dAsync', options);
  const result = await runPlanAsync(backend, 'causalConv1d', args, outputs, signal);
  return result as CausalConv1dResult;
}

export interface CausalConv1dBackwardInputs extends CausalConv1dInputs {
  /** Gradient of `out`, (B, L, D). */
  readonly gradOut: TensorLike;
  /** Gradient of `finalStates`; zero when absent. */
  readonly gradFinalStates?: TensorLike;
}

const gradientNames = ['gradX', 'gradWeight', 'gradBias', 'gradInitialStates'] as const;

/** Gradients of the convolution, each of the shape and format of its input. */
export type CausalConv1dGradients = Readonly<Partial<Record<(typeof gradientNames)[number], HostTensor>>>;

/** Inputs of the backward call, which gradients to compute, and buffers for them under their own names. */
export type CausalConv1dBackwardOptions = CausalConv1dBackwardInputs &
  BackwardOptions<(typeof gradientNames)[number]>;

/**
 * Gradients of `causalConv1d`: with d = gradOut silu'(pre), or gradOut,
 *
 *   gradBias = sum d;   gradWeight[w] = sum_t d[t] x[t - W + 1 + w];   gradX[s] = sum_w weight[w] d[s + W - 1 - w]
 *
 * @param options those of the forward, `gradOut` (B, L, D) and optionally `gradFinalStates` (B, D, W-1).
 * @returns the gradients of the inputs that were given, or those named in `gradients`; in `gradX` and its
 * like where those are given.
 * @throws as `causalConv1d`; {ArgumentError} also for the gradient of an input that is absent.
 */
export function causalConv1dBackward(options: CausalConv1dBackwardOptions): CausalConv1dGradients {
  const { backend, args, outputs } = planBackward('causalConv1dBackward', options);
  return runPlan(backend, 'causalConv1dBackward', args, outputs);
}

/** `causalConv1dBackward` off the calling thread; ordinary arrays are copied first. @throws {AbortedError} also. */
export async function causalConv1dBackwardAsync(
  options: CausalConv1dBackwardOptions & AsyncOptions,
): Promise<CausalConv1dGradients> {
  const { backend, args, outputs, signal } = planBackward('causalConv1dBackwardAsync', options);
  return runPlanAsync(backend, 'causalConv1dBackward', args, outputs, signal);
}

const inputKeys = ['x', 'weight', 'bias', 'activation', 'initialStates', ...sequenceKeys] as const;
const forwardKeys = [...inputKeys, ...callKeys, 'returnFinalStates', 'out', 'finalStates'];
const backwardKeys = [...inputKeys, ...callKeys, 'gradOut', 'gradFinalStates', 'gradients', ...gradientNames];

function planForward(op: string, given: CausalConv1dOptions & AsyncOptions) {
  const options = readOptions(op, given, forwardKeys);
  const layout = checkLayout(op, options.layout);
  const inputs = { ...options, x: asLengthSecond(options.x, layout) };
  const dims = checkCausalConv1dShapes(op, inputs);
  const backend = chooseBackend(op, inputs, dims.width, options);
  const dtype = tensorDType(inputs.x);
  const wantsStates = options.returnFinalStates === true || options.finalStates !== undefined;
  const outputs: Outputs<Names> = {
    out: makeOutput({
      op,
      argument: 'out',
      shape: inputs.x.shape,
      dtype,
      given: options.out,
      layout,
    }),
    ...(wantsStates && {
      finalStates: makeOutput({
        op,
        argument: 'finalStates',
        shape: [dims.stateRows, dims.dim, dims.width - 1],
        dtype,
        given: options.finalStates,
        layout: 'bld',
      }),
    }),
  };
  const targets = targetsOf<Names>(outputs);
  const args = { ...inputs, ...targets, out: targets.out as TensorLike };
  return { backend, outputs, args, signal: options.signal };
}

function planBackward(op: string, given: CausalConv1dBackwardOptions & AsyncOptions) {
  const options = readOptions(op, given, backwardKeys);
  const layout = checkLayout(op, options.layout);
  const inputs = {
    ...options,
    x: asLengthSecond(options.x, layout),
    gradOut: asLengthSecond(options.gradOut, layout),
  };
  const dims = checkCausalConv1dShapes(op, inputs);
  const backend = chooseBackend(op, inputs, dims.width, options, [inputs.gradOut, inputs.gradFinalStates]);
  const sources = {
    gradX: inputs.x,
    gradWeight: inputs.weight,
    gradBias: inputs.bias,
    gradInitialStates: inputs.initialStates,
  };
  const outputs = gradientOutputs({
    op,
    sources,
    wanted: wantedGradients(op, gradientNames, sources, options),
    given: options,
    layout: (name) => (name === 'gradX' ? layout : 'bld'),
  });
  return { backend, outputs, args: { ...inputs, ...targetsOf(outputs) }, signal: options.signal };
}

function chooseBackend(
  op: string,
  { x, weight, bias, initialStates }: CausalConv1dInputs,
  width: number,
  options: CallOptions,
  more: readonly (TensorLike | undefined)[] = [],
): Backend {
  return backendFor(op, options.backend, [x, weight, bias, initialStates, ...more], width <= maxWidth);
}
