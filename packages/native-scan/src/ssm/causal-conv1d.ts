/** The causal convolution on the addon; binding/causal_conv1d.cc reads what is written here. */
import {
  type CausalConv1dArgs,
  type CausalConv1dBackwardArgs,
  type CausalConv1dDims,
  type CausalConv1dInputs,
  checkCausalConv1dGradients,
  checkCausalConv1dOutputs,
  checkCausalConv1dShapes,
  checkCausalConv1dUpstream,
  type TensorLike,
} from '@statespace/ssd-core';
import { NativeCall, type NativeRuntime } from '../native-call.js';
import { expectAtMost } from './limits.js';
import type { PreparedCall } from './prepared-call.js';
import { addSequenceIndices, addSequenceNumbers, sequenceExplainer } from './sequences.js';

/** `kCausalConv1dMaxWidth` of native/include/statespace/causal_conv1d.h. */
export const maxWidth = 4096;

export function prepareCausalConv1d(runtime: NativeRuntime, args: CausalConv1dArgs): PreparedCall {
  const op = 'causalConv1d';
  const dims = checkCausalConv1dShapes(op, args);
  checkCausalConv1dOutputs(op, dims, args);
  const call = startCall(runtime, op, dims, args);
  call.sequenceOutput('out', args.out).result('finalStates', args.finalStates);
  const { causalConv1d: sync, causalConv1dAsync: async } = runtime.addon;
  return { call, sync, async, explain: sequenceExplainer(op, dims, args) };
}

export function prepareCausalConv1dBackward(
  runtime: NativeRuntime,
  args: CausalConv1dBackwardArgs,
): PreparedCall {
  const op = 'causalConv1dBackward';
  const dims = checkCausalConv1dShapes(op, args);
  checkCausalConv1dUpstream(op, dims, args);
  checkCausalConv1dGradients(op, dims, args);
  const call = startCall(runtime, op, dims, args, [args.gradOut, args.gradFinalStates])
    .sequence('gradOut', args.gradOut)
    .parameter('gradFinalStates', args.gradFinalStates)
    .sequenceOutput('gradX', args.gradX)
    .result('gradWeight', args.gradWeight)
    .result('gradBias', args.gradBias)
    .result('gradInitialStates', args.gradInitialStates);
  const { causalConv1dBackward: sync, causalConv1dBackwardAsync: async } = runtime.addon;
  return { call, sync, async, explain: sequenceExplainer(op, dims, args) };
}

function startCall(
  runtime: NativeRuntime,
  op: string,
  dims: CausalConv1dDims,
  inputs: CausalConv1dInputs,
  upstream: readonly (TensorLike | undefined)[] = [],
): NativeCall {
  expectAtMost(op, 'weight', 'width', dims.width, maxWidth);
  const call = new NativeCall(runtime, op)
    .precision([inputs.x, inputs.weight, inputs.bias, inputs.initialStates, ...upstream])
    .number(dims.batch)
    .number(dims.seqLen)
    .number(dims.dim)
    .number(dims.width)
    .flag(inputs.activation === 'silu');
  addSequenceNumbers(call, dims, inputs)
    .sequence('x', inputs.x)
    .parameter('weight', inputs.weight)
    .parameter('bias', inputs.bias)
    .parameter('initialStates', inputs.initialStates);
  return addSequenceIndices(call, inputs);
}
