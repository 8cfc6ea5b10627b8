/** RMSNorm and LayerNorm on the addon; binding/norm.cc reads what is written here. */
import {
  checkLayerNorm,
  checkLayerNormBackward,
  checkRmsNorm,
  checkRmsNormBackward,
  type DenseKernels,
  type LayerNormDims,
  type LayerNormInputs,
  type RmsNormDims,
  type RmsNormInputs,
} from '@statespace/ssd-core';
import { NativeCall, type NativeRuntime } from '../native-call.js';

type NormKernels = Pick<DenseKernels, 'rmsNorm' | 'rmsNormBackward' | 'layerNorm' | 'layerNormBackward'>;

export function normKernels(runtime: NativeRuntime): NormKernels {
  const { addon } = runtime;

  function startRmsNorm(
    op: string,
    { rows, dim, groupSize }: RmsNormDims,
    inputs: RmsNormInputs,
  ): NativeCall {
    return new NativeCall(runtime, op)
      .number(rows)
      .number(dim)
      .number(groupSize)
      .flag(inputs.gateAfterNorm)
      .number(inputs.eps)
      .rows('x', inputs.x)
      .dense('weight', inputs.weight)
      .rows('gate', inputs.gate);
  }

  function startLayerNorm(op: string, { rows, dim }: LayerNormDims, inputs: LayerNormInputs): NativeCall {
    return new NativeCall(runtime, op)
      .number(rows)
      .number(dim)
      .number(inputs.eps)
      .rows('x', inputs.x)
      .dense('weight', inputs.weight)
      .dense('bias', inputs.bias);
  }

  return {
    rmsNorm(args) {
      const dims = checkRmsNorm('rmsNorm', args);
      if (dims.dim === 0) return;
      startRmsNorm('rmsNorm', dims, args).output('out', args.out).run(addon.rmsNorm);
    },
    rmsNormBackward(args) {
      const dims = checkRmsNormBackward('rmsNormBackward', args);
      if (dims.dim === 0) return;
      startRmsNorm('rmsNormBackward', dims, args)
        .dense('gradOut', args.gradOut)
        .output('gradX', args.gradX)
        .output('gradWeight', args.gradWeight)
        .output('gradGate', args.gradGate)
        .run(addon.rmsNormBackward);
    },
    layerNorm(args) {
      const dims = checkLayerNorm('layerNorm', args);
      startLayerNorm('layerNorm', dims, args).output('out', args.out).run(addon.layerNorm);
    },
    layerNormBackward(args) {
      const dims = checkLayerNormBackward('layerNormBackward', args);
      startLayerNorm('layerNormBackward', dims, args)
        .dense('gradOut', args.gradOut)
        .output('gradX', args.gradX)
        .output('gradWeight', args.gradWeight)
        .output('gradBias', args.gradBias)
        .run(addon.layerNormBackward);
    },
  };
}
