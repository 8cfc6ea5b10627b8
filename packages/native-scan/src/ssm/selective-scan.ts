/** The selective scan on the addon; binding/selective_scan.cc reads what is written here. */
import {
  checkSelectiveScanGradients,
  checkSelectiveScanOutputs,
  checkSelectiveScanShapes,
  checkSelectiveScanUpstream,
  readCuSeqlens,
  type SelectiveScanArgs,
  type SelectiveScanBackwardArgs,
  type SelectiveScanDims,
  type SelectiveScanInputs,
} from '@statespace/ssd-core';
import { NativeCall, type NativeRuntime } from '../native-call.js';
import { expectAtMost, expectReal } from './limits.js';
import type { PreparedCall } from './prepared-call.js';

/** `kSelectiveScanMaxState` of native/include/statespace/selective_scan.h. */
export const maxState = 256;

export function prepareSelectiveScan(runtime: NativeRuntime, args: SelectiveScanArgs): PreparedCall {
  const op = 'selectiveScan';
  const dims = checkSelectiveScanShapes(op, args);
  checkSelectiveScanOutputs(op, dims, args);
  const call = startCall(runtime, op, dims, args);
  call.output('out', args.out).output('lastState', args.lastState);
  const { selectiveScan: sync, selectiveScanAsync: async } = runtime.addon;
  return { call, sync, async, explain: explainer(op, dims, args) };
}

export function prepareSelectiveScanBackward(
  runtime: NativeRuntime,
  args: SelectiveScanBackwardArgs,
): PreparedCall {
  const op = 'selectiveScanBackward';
  const dims = checkSelectiveScanShapes(op, args);
  checkSelectiveScanUpstream(op, dims, args);
  checkSelectiveScanGradients(op, dims, args);
  const call = startCall(runtime, op, dims, args)
    .sequence('gradOut', args.gradOut)
    .dense('gradLastState', args.gradLastState)
    .output('gradU', args.gradU)
    .output('gradDelta', args.gradDelta)
    .output('gradA', args.gradA)
    .output('gradB', args.gradB)
    .output('gradC', args.gradC)
    .output('gradD', args.gradD)
    .output('gradZ', args.gradZ)
    .output('gradDeltaBias', args.gradDeltaBias)
    .output('gradInitialState', args.gradInitialState);
  const { selectiveScanBackward: sync, selectiveScanBackwardAsync: async } = runtime.addon;
  return { call, sync, async, explain: explainer(op, dims, args) };
}

function startCall(
  runtime: NativeRuntime,
  op: string,
  dims: SelectiveScanDims,
  inputs: SelectiveScanInputs,
): NativeCall {
  expectReal(op, 'A', dims.complex);
  expectAtMost(op, 'A', 'dState', dims.dState, maxState);
  const call = new NativeCall(runtime, op)
    .number(dims.batch)
    .number(dims.seqLen)
    .number(dims.dInner)
    .number(dims.dState)
    .number(dims.groupsB)
    .number(dims.groupsC)
    .flag(inputs.deltaSoftplus)
    .number(inputs.cuSeqlens === undefined ? -1 : dims.stateRows)
    .sequence('u', inputs.u)
    .sequence('delta', inputs.delta)
    .dense('A', inputs.A);
  if (dims.groupsB > 0) call.sequence('B', inputs.B);
  else call.dense('B', inputs.B);
  if (dims.groupsC > 0) call.sequence('C', inputs.C);
  else call.dense('C', inputs.C);
  return call
    .dense('D', inputs.D)
    .sequence('z', inputs.z)
    .dense('deltaBias', inputs.deltaBias)
    .dense('initialState', inputs.initialState)
    .indices('cuSeqlens', inputs.cuSeqlens);
}

function explainer(op: string, dims: SelectiveScanDims, { cuSeqlens }: SelectiveScanInputs): () => void {
  return () => {
    readCuSeqlens(op, cuSeqlens, dims.seqLen);
  };
}
