/** The chunked SSD scan on the addon; binding/ssd_arguments.h reads what is written here. */
import {
  checkSsdChunkScanGradients,
  checkSsdChunkScanOutputs,
  checkSsdChunkScanShapes,
  checkSsdChunkScanUpstream,
  type SsdChunkScanArgs,
  type SsdChunkScanBackwardArgs,
  type SsdChunkScanDims,
  type SsdChunkScanInputs,
  type TensorLike,
} from '@statespace/ssd-core';
import { NativeCall, type NativeRuntime } from '../native-call.js';
import type { PreparedCall } from './prepared-call.js';
import { addSequenceIndices, addSequenceNumbers, sequenceExplainer } from './sequences.js';

export function prepareSsdChunkScan(runtime: NativeRuntime, args: SsdChunkScanArgs): PreparedCall {
  const op = 'ssdChunkScan';
  const dims = checkSsdChunkScanShapes(op, args);
  checkSsdChunkScanOutputs(op, dims, args);
  const call = startSsdCall(runtime, op, dims, args);
  addSsdOutputs(call, args);
  const { ssdChunkScan: sync, ssdChunkScanAsync: async } = runtime.addon;
  return { call, sync, async, explain: sequenceExplainer(op, dims, args) };
}

export function prepareSsdChunkScanBackward(
  runtime: NativeRuntime,
  args: SsdChunkScanBackwardArgs,
): PreparedCall {
  const op = 'ssdChunkScanBackward';
  const dims = checkSsdChunkScanShapes(op, args);
  checkSsdChunkScanUpstream(op, dims, args);
  checkSsdChunkScanGradients(op, dims, args);
  const call = addSsdGradients(
    startSsdCall(runtime, op, dims, args, [args.gradOut, args.gradFinalStates]),
    args,
  );
  const { ssdChunkScanBackward: sync, ssdChunkScanBackwardAsync: async } = runtime.addon;
  return { call, sync, async, explain: sequenceExplainer(op, dims, args) };
}

/** A call with the inputs of an SSD scan, whatever the shape of A. */
export function startSsdCall(
  runtime: NativeRuntime,
  op: string,
  dims: SsdChunkScanDims,
  inputs: SsdChunkScanInputs,
  upstream: readonly (TensorLike | undefined)[] = [],
): NativeCall {
  const { x, dt, A, B, C, D, z, dtBias, initialStates } = inputs;
  const call = new NativeCall(runtime, op)
    .precision([x, dt, A, B, C, D, z, dtBias, initialStates, ...upstream])
    .number(dims.batch)
    .number(dims.seqLen)
    .number(dims.nHeads)
    .number(dims.headDim)
    .number(dims.dState)
    .number(dims.nGroups)
    .number(dims.chunkSize)
    .flag(dims.skipPerChannel)
    .flag(inputs.dtSoftplus)
    .number(dims.dtLimit[0])
    .number(dims.dtLimit[1]);
  addSequenceNumbers(call, dims, inputs)
    .sequence('x', x)
    .sequence('dt', dt)
    .parameter('A', A)
    .sequence('B', B)
    .sequence('C', C)
    .parameter('D', D)
    .sequence('z', z)
    .parameter('dtBias', dtBias)
    .parameter('initialStates', initialStates);
  return addSequenceIndices(call, inputs);
}

export function addSsdOutputs(call: NativeCall, args: SsdChunkScanArgs): NativeCall {
  return call.sequenceOutput('out', args.out).result('finalStates', args.finalStates);
}

/** Upstream gradients and those to be written. */
export function addSsdGradients(call: NativeCall, args: SsdChunkScanBackwardArgs): NativeCall {
  return call
    .sequence('gradOut', args.gradOut)
    .parameter('gradFinalStates', args.gradFinalStates)
    .sequenceOutput('gradX', args.gradX)
    .sequenceOutput('gradDt', args.gradDt)
    .result('gradA', args.gradA)
    .sequenceOutput('gradB', args.gradB)
    .sequenceOutput('gradC', args.gradC)
    .result('gradD', args.gradD)
    .sequenceOutput('gradZ', args.gradZ)
    .result('gradDtBias', args.gradDtBias)
    .result('gradInitialStates', args.gradInitialStates);
}
