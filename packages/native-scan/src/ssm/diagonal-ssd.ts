/** The diagonal SSD scan on the addon; binding/ssd_arguments.h reads what is written here. */
import {
  checkDiagonalSsdGradients,
  checkDiagonalSsdOutputs,
  checkDiagonalSsdShapes,
  checkDiagonalSsdUpstream,
  type DiagonalSsdArgs,
  type DiagonalSsdBackwardArgs,
} from '@statespace/ssd-core';
import type { NativeRuntime } from '../native-call.js';
import type { PreparedCall } from './prepared-call.js';
import { sequenceExplainer } from './sequences.js';
import { addSsdGradients, addSsdOutputs, startSsdCall } from './ssd-chunk-scan.js';

export function prepareDiagonalSsd(runtime: NativeRuntime, args: DiagonalSsdArgs): PreparedCall {
  const op = 'diagonalSsd';
  const dims = checkDiagonalSsdShapes(op, args);
  checkDiagonalSsdOutputs(op, dims, args);
  const call = startSsdCall(runtime, op, dims, args);
  addSsdOutputs(call, args);
  const { diagonalSsd: sync, diagonalSsdAsync: async } = runtime.addon;
  return { call, sync, async, explain: sequenceExplainer(op, dims, args) };
}

export function prepareDiagonalSsdBackward(
  runtime: NativeRuntime,
  args: DiagonalSsdBackwardArgs,
): PreparedCall {
  const op = 'diagonalSsdBackward';
  const dims = checkDiagonalSsdShapes(op, args);
  checkDiagonalSsdUpstream(op, dims, args);
  checkDiagonalSsdGradients(op, dims, args);
  const call = addSsdGradients(
    startSsdCall(runtime, op, dims, args, [args.gradOut, args.gradFinalStates]),
    args,
  );
  const { diagonalSsdBackward: sync, diagonalSsdBackwardAsync: async } = runtime.addon;
  return { call, sync, async, explain: sequenceExplainer(op, dims, args) };
}
