/** The selective scan on the addon; binding/selective_scan.cc reads what is written here. */
import {
  checkSelectiveScanGradients,
  checkSelectiveScanOutputs,
  checkSelectiveScanShapes,
  checkSelectiveScanUpstream,
  type SelectiveScanArgs,
  type SelectiveScanBackwardArgs,
  type SelectiveScanDims,
  type SelectiveScanInputs,
  type TensorLike,
} from '@statespace/ssd-core';
import { NativeCall, type NativeRuntime } from '../native-call.js';
import { expectAtMost, expectReal } from './limits.js';
import type { PreparedCall } from './prepared-call.js';
import { addSequenceIndices, addSequenceNumbers, sequenceExplainer } from './sequences.js';

/** `kSelectiveScanMaxState` of native/include/statespace/selective_scan.h. */
export const maxState = 256;

export function prepareSelectiveScan(runtime: NativeRuntime, args: SelectiveScanArgs): PreparedCall {
  const op = 'selectiveScan';
  const dims = checkSelectiveScanShapes(op, args);
  checkSelectiveScanOutputs(op, dims, args);
  const call = startCall(runtime, op, dims, args);
  call.sequenceOutput('out', args.out).result('lastState', args.lastState);
  const { selectiveScan: sync, selectiveScanAsync: async } = runtime.addon;
  return { call, sync, async, explain: sequenceExplainer(op, dims, args) };
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
    .parameter('gradLastState', args.gradLastState)
    .sequenceOutput('gradU', args.gradU)
    .sequenceOutput('gradDelta', args.gradDelta)
    .result('gradA', args.gradA);
  addGradient(call, 'gradB', args.gradB, dims.groupsB);
  addGradient(call, 'gradC', args.gradC, dims.groupsC);
  call
    .result('gradD', args.gradD)
    .sequenceOutput('gradZ', args.gradZ)
    .result('gradDeltaBias', args.gradDeltaBias)
    .result('gradInitialState', args.gradInitialState);
  const { selectiveScanBackward: sync, selectiveScanBackwardAsync: async } = runtime.addon;
  return { call, sync, async, explain: sequenceExplainer(op, dims, args) };
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
    .number(0)
    .number(0)
    .number(dims.batch)
    .number(dims.seqLen)
    .number(dims.dInner)
    .number(dims.dState)
    .number(dims.groupsB)
    .number(dims.groupsC)
    .flag(inputs.deltaSoftplus);
  addSequenceNumbers(call, dims, inputs)
    .sequence('u', inputs.u)
    .sequence('delta', inputs.delta)
    .parameter('A', inputs.A);
  addCoefficient(call, 'B', inputs.B, dims.groupsB);
  addCoefficient(call, 'C', inputs.C, dims.groupsC);
  call
    .parameter('D', inputs.D)
    .sequence('z', inputs.z)
    .parameter('deltaBias', inputs.deltaBias)
    .parameter('initialState', inputs.initialState);
  return addSequenceIndices(call, inputs);
}

/** B or C: with a length, or constant where it has no groups. */
function addCoefficient(call: NativeCall, name: string, tensor: TensorLike, groups: number): void {
  if (groups > 0) call.sequence(name, tensor);
  else call.parameter(name, tensor);
}

function addGradient(call: NativeCall, name: string, tensor: TensorLike | undefined, groups: number): void {
  if (groups > 0) call.sequenceOutput(name, tensor);
  else call.result(name, tensor);
}
