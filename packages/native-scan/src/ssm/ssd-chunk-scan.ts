/** The chunked SSD scan on the addon; binding/ssd_chunk_scan.cc reads what is written here. */
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
  const call = startCall(runtime, op, dims, args);
  call.output('out', args.out).output('finalStates', args.finalStates);
  const { ssdChunkScan: sync, ssdChunkScanAsync: async } = runtime.addon;
  return { call, sync, async, explain: explainer(op, dims, args) };
}

export function prepareSsdChunkScanBackward(
  runtime: NativeRuntime,
  args: SsdChunkScanBackwardArgs,
): PreparedCall {
  const op = 'ssdChunkScanBackward';
  const dims = checkSsdChunkScanShapes(op, args);
  checkSsdChunkScanUpstream(op, dims, args);
  checkSsdChunkScanGradients(op, dims, args);
  const call = startCall(runtime, op, dims, args)
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
  const { ssdChunkScanBackward: sync, ssdChunkScanBackwardAsync: async } = runtime.addon;
  return { call, sync, async, explain: explainer(op, dims, args) };
}

function startCall(
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

function explainer(op: string, dims: SsdChunkScanDims, { cuSeqlens }: SsdChunkScanInputs): () => void {
  return () => {
    readCuSeqlens(op, cuSeqlens, dims.seqLen);
  };
}
