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
import {
  type AsyncOptions,
  type CallOptions,
  type Outputs,
  runPlan,
  runPlanAsync,
  targetsOf,
} from './planned-call.js';
import { maxWidth } from './ssm/causal-conv1d.js';

export interface CausalConv1dOptions extends CallOptions {
  /** Also give the last W-1 inputs. Default false. */
  readonly returnFinalStates?: boolean;
  /** Where to put the output, contiguous; a fresh array when absent. */
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
 * @param inputs x (B, L, D) of any strides; weight (D, W); bias (D); initialStates (B, D, W-1), oldest first;
 * `cuSeqlens` (S + 1) packs S sequences into one row.
 * @returns `out` (B, L, D) and, where asked for, `finalStates` (B, D, W-1).
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming the argument, before anything is written.
 * @throws {BackendUnavailableError} for a backend that was named and cannot be had.
 */
export function causalConv1d(
  inputs: CausalConv1dInputs,
  options: CausalConv1dOptions = {},
): CausalConv1dResult {
  const { backend, args, outputs } = planForward('causalConv1d', inputs, options);
  return runPlan(backend, 'causalConv1d', args, outputs) as CausalConv1dResult;
}

/** `causalConv1d` off the calling thread; ordinary arrays are copied first. @throws {AbortedError} also. */
export async function causalConv1dAsync(
  inputs: CausalConv1dInputs,
  options: CausalConv1dOptions & AsyncOptions = {},
): Promise<CausalConv1dResult> {
  const { backend, args, outputs } = planForward('causalConv1dAsync', inputs, options);
  const result = await runPlanAsync(backend, 'causalConv1d', args, outputs, options.signal);
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

/** Which gradients to compute, and buffers for them under their own names. */
export type CausalConv1dBackwardOptions = BackwardOptions<(typeof gradientNames)[number]>;

/**
 * Gradients of `causalConv1d`: with d = gradOut silu'(pre), or gradOut,
 *
 *   gradBias = sum d;   gradWeight[w] = sum_t d[t] x[t - W + 1 + w];   gradX[s] = sum_w weight[w] d[s + W - 1 - w]
 *
 * @param inputs those of the forward, `gradOut` (B, L, D) and optionally `gradFinalStates` (B, D, W-1).
 * @returns the gradients of the inputs that were given, or those named in `options.gradients`; in `options.gradX` and
 * its like where those are given.
 * @throws as `causalConv1d`; {ArgumentError} also for the gradient of an input that is absent.
 */
export function causalConv1dBackward(
  inputs: CausalConv1dBackwardInputs,
  options: CausalConv1dBackwardOptions = {},
): CausalConv1dGradients {
  const { backend, args, outputs } = planBackward('causalConv1dBackward', inputs, options);
  return runPlan(backend, 'causalConv1dBackward', args, outputs);
}

/** `causalConv1dBackward` off the calling thread; ordinary arrays are copied first. @throws {AbortedError} also. */
export async function causalConv1dBackwardAsync(
  inputs: CausalConv1dBackwardInputs,
  options: CausalConv1dBackwardOptions & AsyncOptions = {},
): Promise<CausalConv1dGradients> {
  const { backend, args, outputs } = planBackward('causalConv1dBackwardAsync', inputs, options);
  return runPlanAsync(backend, 'causalConv1dBackward', args, outputs, options.signal);
}

function planForward(op: string, given: CausalConv1dInputs, options: CausalConv1dOptions) {
  const layout = checkLayout(op, options.layout);
  const inputs = { ...given, x: asLengthSecond(given.x, layout) };
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
  return { backend, outputs, args: { ...inputs, ...targets, out: targets.out as TensorLike } };
}

function planBackward(op: string, given: CausalConv1dBackwardInputs, options: CausalConv1dBackwardOptions) {
  const layout = checkLayout(op, options.layout);
  const inputs: CausalConv1dBackwardInputs = {
    ...given,
    x: asLengthSecond(given.x, layout),
    gradOut: asLengthSecond(given.gradOut, layout),
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
  return { backend, outputs, args: { ...inputs, ...targetsOf(outputs) } };
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
