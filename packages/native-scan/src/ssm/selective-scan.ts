/** The selective scan on the addon; binding/selective_scan.cc reads what is written here. */
import {
  checkSelectiveScanGradients,
  checkSelectiveScanOutputs,
  checkSelectiveScanShapes,
  checkSelectiveScanUpstream,
  DTypeError,
  type SelectiveScanArgs,
  type SelectiveScanBackwardArgs,
  type SelectiveScanDims,
  type TensorLike,
} from '@statespace/ssd-core';
import { NativeCall, type NativeRuntime } from '../native-call.js';
import { expectAtMost } from './limits.js';
import type { PreparedCall } from './prepared-call.js';
import { addSequenceIndices, addSequenceNumbers, sequenceExplainer } from './sequences.js';

/** `kSelectiveScanMaxState` of native/include/statespace/selective_scan.h. */
export const maxState = 256;

export function prepareSelectiveScan(runtime: NativeRuntime, args: SelectiveScanArgs): PreparedCall {
  const op = 'selectiveScan';
  const dims = checkSelectiveScanShapes(op, args);
  checkSelectiveScanOutputs(op, dims, args);
  const call = startCall(runtime, op, dims, args);
  call
    .sequenceOutput('out', args.out)
    .result('lastState', args.lastState)
    .result('checkpoints', checkpointsFor(call, dims, args.checkpoints));
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
  const call = startCall(runtime, op, dims, args, [args.gradOut, args.gradLastState])
    .sequence('gradOut', args.gradOut)
    .parameter('gradLastState', args.gradLastState)
    .sequenceOutput('gradU', args.gradU)
    .sequenceOutput('gradDelta', args.gradDelta)
    .result('gradA', args.gradA);
  addGradient(call, 'gradB', args.gradB, dims.groupsB, dims.complex);
  addGradient(call, 'gradC', args.gradC, dims.groupsC, dims.complex);
  call
    .result('gradD', args.gradD)
    .sequenceOutput('gradZ', args.gradZ)
    .result('gradDeltaBias', args.gradDeltaBias)
    .result('gradInitialState', args.gradInitialState)
    .parameter('checkpoints', checkpointsFor(call, dims, args.checkpoints));
  const { selectiveScanBackward: sync, selectiveScanBackwardAsync: async } = runtime.addon;
  return { call, sync, async, explain: sequenceExplainer(op, dims, args) };
}

/** Checkpoints of a call that keeps them: the kernel of real float32 alone does. @throws {DTypeError} */
function checkpointsFor(
  call: NativeCall,
  { complex }: SelectiveScanDims,
  checkpoints: TensorLike | undefined,
): TensorLike | undefined {
  if (checkpoints === undefined || (!complex && call.computesIn === 'f32')) return checkpoints;
  throw new DTypeError({
    op: call.op,
    argument: 'checkpoints',
    wanted: 'none beside float64 or complex tensors',
    got: 'checkpoints',
  });
}

function startCall(
  runtime: NativeRuntime,
  op: string,
  dims: SelectiveScanDims,
  inputs: SelectiveScanArgs | SelectiveScanBackwardArgs,
  upstream: readonly (TensorLike | undefined)[] = [],
): NativeCall {
  expectAtMost(op, 'A', 'dState', dims.dState, maxState);
  const { u, delta, A, B, C, D, z, deltaBias, initialState } = inputs;
  const call = new NativeCall(runtime, op)
    .precision([u, delta, A, B, C, D, z, deltaBias, initialState, ...upstream])
    .flag(dims.complex)
    .number(dims.batch)
    .number(dims.seqLen)
    .number(dims.dInner)
    .number(dims.dState)
    .number(dims.groupsB)
    .number(dims.groupsC)
    .flag(inputs.deltaSoftplus)
    .number(inputs.checkpoints?.shape[0] ?? 0);
  addSequenceNumbers(call, dims, inputs).sequence('u', u).sequence('delta', delta).parameter('A', A);
  addCoefficient(call, 'B', B, dims.groupsB, dims.complex);
  addCoefficient(call, 'C', C, dims.groupsC, dims.complex);
  call
    .parameter('D', D)
    .sequence('z', z)
    .parameter('deltaBias', deltaBias)
    .parameter('initialState', initialState);
  return addSequenceIndices(call, inputs);
}

/** B or C: with a length, or constant where it has no groups. */
function addCoefficient(
  call: NativeCall,
  name: string,
  tensor: TensorLike,
  groups: number,
  complex: boolean,
): void {
  if (groups > 0) call.sequence(name, tensor, complex);
  else call.parameter(name, tensor);
}

function addGradient(
  call: NativeCall,
  name: string,
  tensor: TensorLike | undefined,
  groups: number,
  complex: boolean,
): void {
  if (groups > 0) call.sequenceOutput(name, tensor, complex);
  else call.result(name, tensor);
}
