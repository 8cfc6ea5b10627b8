/** One-step updates on the addon; binding/state_update.cc reads what is written here. */
import {
  type CausalConv1dUpdateArgs,
  checkCausalConv1dUpdateOutputs,
  checkCausalConv1dUpdateShapes,
  checkSelectiveStateUpdateOutputs,
  checkSelectiveStateUpdateShapes,
  readCacheSeqlens,
  readStateIndices,
  type SelectiveStateUpdateArgs,
  type TensorLike,
} from '@statespace/ssd-core';
import { NativeCall, type NativeRuntime } from '../native-call.js';
import { maxWidth } from './causal-conv1d.js';
import { expectAtMost } from './limits.js';
import type { PreparedCall } from './prepared-call.js';

export function prepareSelectiveStateUpdate(
  runtime: NativeRuntime,
  args: SelectiveStateUpdateArgs,
): PreparedCall {
  const op = 'selectiveStateUpdate';
  const dims = checkSelectiveStateUpdateShapes(op, args);
  checkSelectiveStateUpdateOutputs(op, args);
  // Two sequences on one row would race; the addon only knows whether a row exists.
  const rows = ownedIndices(op, 'stateBatchIndices', args.stateBatchIndices, dims);
  const { state, x, dt, A, B, C, D, z, dtBias } = args;
  const call = new NativeCall(runtime, op)
    .precision([state, x, dt, A, B, C, D, z, dtBias])
    .number(dims.batch)
    .number(dims.nHeads)
    .number(dims.headDim)
    .number(dims.dState)
    .number(dims.nGroups)
    .number(dims.stateRows)
    .flag(dims.dtPerChannel)
    .flag(dims.fullA)
    .flag(dims.skipPerChannel)
    .flag(dims.dtBiasPerChannel)
    .flag(args.dtSoftplus)
    .number(dims.dtLimit[0])
    .number(dims.dtLimit[1])
    .update('state', state)
    .batched('x', x)
    .batched('dt', dt)
    .parameter('A', A)
    .batched('B', B)
    .batched('C', C)
    .parameter('D', D)
    .batched('z', z)
    .parameter('dtBias', dtBias)
    .indices('stateBatchIndices', rows)
    .result('out', args.out);
  return { call, sync: runtime.addon.selectiveStateUpdate, async: runtime.addon.selectiveStateUpdateAsync };
}

export function prepareCausalConv1dUpdate(
  runtime: NativeRuntime,
  args: CausalConv1dUpdateArgs,
): PreparedCall {
  const op = 'causalConv1dUpdate';
  const dims = checkCausalConv1dUpdateShapes(op, args);
  checkCausalConv1dUpdateOutputs(op, args);
  expectAtMost(op, 'weight', 'width', dims.width, maxWidth);
  const rows = ownedIndices(op, 'convStateIndices', args.convStateIndices, dims);
  const call = new NativeCall(runtime, op)
    .precision([args.x, args.convState, args.weight, args.bias])
    .number(dims.batch)
    .number(dims.seqLen)
    .number(dims.dim)
    .number(dims.width)
    .number(dims.stateLen)
    .number(dims.stateRows)
    .flag(args.activation === 'silu')
    .steps('x', args.x.shape.length === 2 ? asSequence(args.x) : args.x)
    .update('convState', args.convState)
    .parameter('weight', args.weight)
    .parameter('bias', args.bias)
    .indices('cacheSeqlens', args.cacheSeqlens)
    .indices('convStateIndices', rows)
    .result('out', args.out);
  const explain = () => {
    readCacheSeqlens(op, args.cacheSeqlens);
  };
  return {
    call,
    sync: runtime.addon.causalConv1dUpdate,
    async: runtime.addon.causalConv1dUpdateAsync,
    explain,
  };
}

/** A checked copy of the rows that a call may write. */
function ownedIndices(
  op: string,
  argument: string,
  indices: TensorLike | undefined,
  { batch, stateRows }: { readonly batch: number; readonly stateRows: number },
): TensorLike | undefined {
  if (indices === undefined) return undefined;
  return { data: readStateIndices(op, argument, indices, batch, stateRows), shape: [batch] };
}

/** (B, D) seen as (B, 1, D). */
function asSequence(x: TensorLike): TensorLike {
  const [batch, dim] = x.shape as [number, number];
  const [outer, inner] = x.strides ?? [dim, 1];
  return { ...x, shape: [batch, 1, dim], strides: [outer as number, dim, inner as number] };
}
