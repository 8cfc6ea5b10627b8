/** Table lookup on the addon; binding/loss.cc reads what is written here. */
import { checkEmbedding, checkEmbeddingBackward, type DenseKernels, loadIndices } from '@statespace/ssd-core';
import { NativeCall, type NativeRuntime } from '../native-call.js';

export function embeddingKernels(
  runtime: NativeRuntime,
): Pick<DenseKernels, 'embedding' | 'embeddingBackward'> {
  const { addon } = runtime;
  return {
    embedding(args) {
      const op = 'embedding';
      const { rows, classes, features } = checkEmbedding(op, args);
      new NativeCall(runtime, op)
        .number(classes)
        .number(features)
        .number(rows)
        .dense('weight', args.weight)
        .indices('ids', args.ids)
        .output('out', args.out)
        .run(addon.embedding, () => loadIndices(op, 'ids', args.ids, classes));
    },
    embeddingBackward(args) {
      const op = 'embeddingBackward';
      const { rows, classes, features } = checkEmbeddingBackward(op, args);
      new NativeCall(runtime, op)
        .number(classes)
        .number(features)
        .number(rows)
        .indices('ids', args.ids)
        .dense('gradOut', args.gradOut)
        .output('gradWeight', args.gradWeight)
        .run(addon.embeddingBackward, () => loadIndices(op, 'ids', args.ids, classes));
    },
  };
}
