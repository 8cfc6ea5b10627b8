/** Softmax and cross-entropy on the addon; binding/loss.cc reads what is written here. */
import {
  type CrossEntropyDims,
  type CrossEntropyInputs,
  checkCrossEntropy,
  checkCrossEntropyBackward,
  checkLinearCrossEntropy,
  checkSoftmax,
  checkSoftmaxBackward,
  type DenseKernels,
  elementCount,
  loadIndices,
} from '@statespace/ssd-core';
import { NativeCall, type NativeRuntime } from '../native-call.js';

type LossKernels = Pick<
  DenseKernels,
  'softmax' | 'softmaxBackward' | 'crossEntropy' | 'crossEntropyBackward' | 'linearCrossEntropy'
>;

export function lossKernels(runtime: NativeRuntime): LossKernels {
  const { addon } = runtime;

  function startRows(op: string, shape: readonly number[], log: boolean | undefined): NativeCall {
    return new NativeCall(runtime, op)
      .number(elementCount(shape.slice(0, -1)))
      .number(shape.at(-1) as number)
      .flag(log);
  }

  function startCrossEntropy(op: string, dims: CrossEntropyDims, inputs: CrossEntropyInputs): NativeCall {
    return new NativeCall(runtime, op)
      .number(dims.rows)
      .number(dims.classes)
      .number(dims.ignoreIndex)
      .number(dims.labelSmoothing)
      .dense('logits', inputs.logits)
      .indices('targets', inputs.targets);
  }

  return {
    softmax(args) {
      const op = 'softmax';
      checkSoftmax(op, args);
      startRows(op, args.x.shape, args.log).dense('x', args.x).output('out', args.out).run(addon.softmax);
    },
    softmaxBackward(args) {
      const op = 'softmaxBackward';
      checkSoftmaxBackward(op, args);
      startRows(op, args.out.shape, args.log)
        .dense('out', args.out)
        .dense('gradOut', args.gradOut)
        .output('gradX', args.gradX)
        .run(addon.softmaxBackward);
    },
    crossEntropy(args) {
      const op = 'crossEntropy';
      const dims = checkCrossEntropy(op, args);
      startCrossEntropy(op, dims, args)
        .output('losses', args.losses)
        .run(addon.crossEntropy, () =>
          loadIndices(op, 'targets', args.targets, dims.classes, dims.ignoreIndex),
        );
    },
    crossEntropyBackward(args) {
      const op = 'crossEntropyBackward';
      const dims = checkCrossEntropyBackward(op, args);
      startCrossEntropy(op, dims, args)
        .dense('gradLosses', args.gradLosses)
        .output('gradLogits', args.gradLogits)
        .run(addon.crossEntropyBackward, () =>
          loadIndices(op, 'targets', args.targets, dims.classes, dims.ignoreIndex),
        );
    },
    linearCrossEntropy(args) {
      const op = 'linearCrossEntropy';
      const dims = checkLinearCrossEntropy(op, args);
      new NativeCall(runtime, op)
        .number(dims.rows)
        .number(dims.features)
        .number(dims.classes)
        .number(dims.ignoreIndex)
        .rows('x', args.x)
        .dense('weight', args.weight)
        .dense('bias', args.bias)
        .indices('targets', args.targets)
        .output('loss', args.loss)
        .output('correct', args.correct)
        .output('gradX', args.gradX)
        .output('gradWeight', args.gradWeight)
        .output('gradBias', args.gradBias)
        .run(addon.linearCrossEntropy, () =>
          loadIndices(op, 'targets', args.targets, dims.classes, dims.ignoreIndex),
        );
    },
  };
}
