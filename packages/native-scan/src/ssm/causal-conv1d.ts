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
  readCuSeqlens,
} from '@statespace/ssd-core';
import { NativeCall, type NativeRuntime } from '../native-call.js';
import { expectAtMost } from './limits.js';
import type { PreparedCall } from './prepared-call.js';

/** `kCausalConv1dMaxWidth` of native/include/statespace/causal_conv1d.h. */
export const maxWidth = 4096;

export function prepareCausalConv1d(runtime: NativeRuntime, args: CausalConv1dArgs): PreparedCall {
  const op = 'causalConv1d';
  const dims = checkCausalConv1dShapes(op, args);
  checkCausalConv1dOutputs(op, dims, args);
  const call = startCall(runtime, op, dims, args);
  call.output('out', args.out).output('finalStates', args.finalStates);
  const { causalConv1d: sync, causalConv1dAsync: async } = runtime.addon;
  return { call, sync, async, explain: explainer(op, dims, args) };
}

export function prepareCausalConv1dBackward(
  runtime: NativeRuntime,
  args: CausalConv1dBackwardArgs,
): PreparedCall {
  const op = 'causalConv1dBackward';
  const dims = checkCausalConv1dShapes(op, args);
  checkCausalConv1dUpstream(op, dims, args);
  checkCausalConv1dGradients(op, dims, args);
  const call = startCall(runtime, op, dims, args)
    .sequence('gradOut', args.gradOut)
    .dense('gradFinalStates', args.gradFinalStates)
    .output('gradX', args.gradX)
    .output('gradWeight', args.gradWeight)
    .output('gradBias', args.gradBias)
    .output('gradInitialStates', args.gradInitialStates);
  const { causalConv1dBackward: sync, causalConv1dBackwardAsync: async } = runtime.addon;
  return { call, sync, async, explain: explainer(op, dims, args) };
}

function startCall(
  runtime: NativeRuntime,
  op: string,
  dims: CausalConv1dDims,
  inputs: CausalConv1dInputs,
): NativeCall {
  expectAtMost(op, 'weight', 'width', dims.width, maxWidth);
  return new NativeCall(runtime, op)
    .number(dims.batch)
    .number(dims.seqLen)
    .number(dims.dim)
    .number(dims.width)
    .flag(inputs.activation === 'silu')
    .number(inputs.cuSeqlens === undefined ? -1 : dims.stateRows)
    .sequence('x', inputs.x)
    .dense('weight', inputs.weight)
    .dense('bias', inputs.bias)
    .dense('initialStates', inputs.initialStates)
    .indices('cuSeqlens', inputs.cuSeqlens);
}

function explainer(op: string, dims: CausalConv1dDims, { cuSeqlens }: CausalConv1dInputs): () => void {
  return () => {
    readCuSeqlens(op, cuSeqlens, dims.seqLen);
  };
}
