/** The chunked SSD scan on the addon; binding/ssd_arguments.h reads what is written here. */
import {
  checkSsdChunkScanGradients,
  checkSsdChunkScanOutputs,
  checkSsdChunkScanShapes,
  checkSsdChunkScanUpstream,
  readCuSeqlens,
  type SsdChunkScanArgs,
  type SsdChunkScanBackwardArgs,
  type SsdChunkScanDims,
  type SsdChunkScanInputs,
} from '@statespace/ssd-core';
import { NativeCall, type NativeRuntime } from '../native-call.js';
import type { PreparedCall } from './prepared-call.js';

export function prepareSsdChunkScan(runtime: NativeRuntime, args: SsdChunkScanArgs): PreparedCall {
  const op = 'ssdChunkScan';
  const dims = checkSsdChunkScanShapes(op, args);
  checkSsdChunkScanOutputs(op, dims, args);
  const call = startSsdCall(runtime, op, dims, args);
  call.output('out', args.out).output('finalStates', args.finalStates);
  const { ssdChunkScan: sync, ssdChunkScanAsync: async } = runtime.addon;
  return { call, sync, async, explain: ssdExplainer(op, dims, args) };
}

export function prepareSsdChunkScanBackward(
  runtime: NativeRuntime,
  args: SsdChunkScanBackwardArgs,
): PreparedCall {
  const op = 'ssdChunkScanBackward';
  const dims = checkSsdChunkScanShapes(op, args);
  checkSsdChunkScanUpstream(op, dims, args);
  checkSsdChunkScanGradients(op, dims, args);
  const call = addSsdGradients(startSsdCall(runtime, op, dims, args), args);
  const { ssdChunkScanBackward: sync, ssdChunkScanBackwardAsync: async } = runtime.addon;
  return { call, sync, async, explain: ssdExplainer(op, dims, args) };
}

/** The inputs of an SSD scan, whatever the shape of A. */
export function startSsdCall(
  runtime: NativeRuntime,
  op: string,
  dims: SsdChunkScanDims,
  inputs: SsdChunkScanInputs,
): NativeCall {
  return new NativeCall(runtime, op)
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
    .number(dims.dtLimit[1])
    .number(inputs.cuSeqlens === undefined ? -1 : dims.stateRows)
    .sequence('x', inputs.x)
    .sequence('dt', inputs.dt)
    .dense('A', inputs.A)
    .sequence('B', inputs.B)
    .sequence('C', inputs.C)
    .dense('D', inputs.D)
    .sequence('z', inputs.z)
    .dense('dtBias', inputs.dtBias)
    .dense('initialStates', inputs.initialStates)
    .indices('cuSeqlens', inputs.cuSeqlens);
}

/** Upstream gradients and those to be written. */
export function addSsdGradients(call: NativeCall, args: SsdChunkScanBackwardArgs): NativeCall {
  return call
    .sequence('gradOut', args.gradOut)
    .dense('gradFinalStates', args.gradFinalStates)
    .output('gradX', args.gradX)
    .output('gradDt', args.gradDt)
    .output('gradA', args.gradA)
    .output('gradB', args.gradB)
    .output('gradC', args.gradC)
    .output('gradD', args.gradD)
    .output('gradZ', args.gradZ)
    .output('gradDtBias', args.gradDtBias)
    .output('gradInitialStates', args.gradInitialStates);
}

/** Names the entry of `cuSeqlens` that does not fit. */
export function ssdExplainer(
  op: string,
  dims: SsdChunkScanDims,
  { cuSeqlens }: SsdChunkScanInputs,
): () => void {
  return () => {
    readCuSeqlens(op, cuSeqlens, dims.seqLen);
  };
}
