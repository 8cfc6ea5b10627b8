/** The dense kernels of the reference: check, compute in float64, round once where a result is stored. */
import type { DenseKernels } from '../backend.js';
import { broadcastView } from '../broadcast.js';
import type {
  AccumulateArgs,
  AdamWArgs,
  CopyArgs,
  FillArgs,
  GemmArgs,
  LayerNormBackwardArgs,
  LinearCrossEntropyArgs,
  RmsNormBackwardArgs,
} from '../kernels/dense-args.js';
import { adamwRef, checkAdamW } from '../ops/adamw/adamw.js';
import { crossEntropyBackwardRef, crossEntropyRef } from '../ops/cross-entropy/cross-entropy.js';
import { checkCrossEntropy, checkCrossEntropyBackward } from '../ops/cross-entropy/shapes.js';
import { binaryRef, checkBinary } from '../ops/elementwise/binary.js';
import { affineRef, checkAccumulate, checkAffine, checkCopy, checkFill } from '../ops/elementwise/copying.js';
import {
  checkEmbedding,
  checkEmbeddingBackward,
  embeddingBackwardRef,
  embeddingRef,
} from '../ops/embedding/embedding.js';
import { gemmRef } from '../ops/gemm/gemm.js';
import { checkGemm } from '../ops/gemm/shapes.js';
import { checkGradNorm, gradNormRef } from '../ops/grad-norm/grad-norm.js';
import { layerNormBackwardRef, layerNormRef } from '../ops/layer-norm/layer-norm.js';
import { checkLayerNorm, checkLayerNormBackward } from '../ops/layer-norm/shapes.js';
import { linearCrossEntropyRef } from '../ops/linear-cross-entropy/linear-cross-entropy.js';
import { checkLinearCrossEntropy } from '../ops/linear-cross-entropy/shapes.js';
import { checkDropout, checkRandom, dropoutRef, randomRef } from '../ops/random/random.js';
import { argmaxRef, checkArgmax, checkReduce, reduceRef } from '../ops/reduce/reduce.js';
import { rmsNormBackwardRef, rmsNormRef } from '../ops/rms-norm/rms-norm.js';
import { checkRmsNorm, checkRmsNormBackward } from '../ops/rms-norm/shapes.js';
import {
  checkSoftmax,
  checkSoftmaxBackward,
  softmaxBackwardRef,
  softmaxRef,
} from '../ops/softmax/softmax.js';
import { checkUnary, checkUnaryBackward, unaryBackwardRef, unaryRef } from '../ops/unary/unary.js';
import { elementCount, type TensorLike } from '../tensor-like.js';
import { loadFloat64, storeFloat64 } from './views.js';

export const referenceDenseKernels: DenseKernels = {
  unary(args) {
    checkUnary('unary', args);
    store('unary', 'out', args.out, unaryRef(args));
  },
  unaryBackward(args) {
    checkUnaryBackward('unaryBackward', args);
    store('unaryBackward', 'gradX', args.gradX, unaryBackwardRef(args));
  },
  binary(args) {
    checkBinary('binary', args);
    store('binary', 'out', args.out, binaryRef(args));
  },
  affine(args) {
    checkAffine('affine', args);
    store('affine', 'out', args.out, affineRef(args));
  },
  copy,
  accumulate,
  fill,
  reduce(args) {
    checkReduce('reduce', args);
    store('reduce', 'out', args.out, reduceRef(args));
  },
  argmax(args) {
    checkArgmax('argmax', args);
    store('argmax', 'out', args.out, { data: Float64Array.from(argmaxRef(args).data) });
  },
  gemm,
  rmsNorm(args) {
    checkRmsNorm('rmsNorm', args);
    store('rmsNorm', 'out', args.out, rmsNormRef(args));
  },
  rmsNormBackward,
  layerNorm(args) {
    checkLayerNorm('layerNorm', args);
    store('layerNorm', 'out', args.out, layerNormRef(args));
  },
  layerNormBackward,
  softmax(args) {
    checkSoftmax('softmax', args);
    store('softmax', 'out', args.out, softmaxRef(args));
  },
  softmaxBackward(args) {
    checkSoftmaxBackward('softmaxBackward', args);
    store('softmaxBackward', 'gradX', args.gradX, softmaxBackwardRef(args));
  },
  crossEntropy(args) {
    checkCrossEntropy('crossEntropy', args);
    store('crossEntropy', 'losses', args.losses, crossEntropyRef(args));
  },
  crossEntropyBackward(args) {
    checkCrossEntropyBackward('crossEntropyBackward', args);
    store('crossEntropyBackward', 'gradLogits', args.gradLogits, crossEntropyBackwardRef(args));
  },
  linearCrossEntropy,
  embedding(args) {
    checkEmbedding('embedding', args);
    store('embedding', 'out', args.out, embeddingRef(args));
  },
  embeddingBackward(args) {
    checkEmbeddingBackward('embeddingBackward', args);
    store('embeddingBackward', 'gradWeight', args.gradWeight, embeddingBackwardRef(args));
  },
  random(args) {
    checkRandom('random', args);
    store('random', 'out', args.out, randomRef({ ...args, shape: args.out.shape }));
  },
  dropout(args) {
    checkDropout('dropout', args);
    store('dropout', 'out', args.out, dropoutRef(args));
  },
  gradNorm(args) {
    checkGradNorm('gradNorm', args);
    const { norm, factor } = gradNormRef(args);
    storeFloat64('gradNorm', 'norm', args.norm, Float64Array.of(norm));
    storeFloat64('gradNorm', 'factor', args.factor, Float64Array.of(factor));
  },
  adamw,
};

function copy(args: CopyArgs): void {
  checkCopy('copy', args);
  const values = loadFloat64('copy', 'x', broadcastView('copy', 'x', args.x, args.out.shape));
  storeFloat64('copy', 'out', args.out, values);
}

function accumulate(args: AccumulateArgs): void {
  checkAccumulate('accumulate', args);
  const sum = loadFloat64('accumulate', 'out', args.out);
  addInto(sum, loadFloat64('accumulate', 'x', args.x));
  storeFloat64('accumulate', 'out', args.out, sum);
}

function fill(args: FillArgs): void {
  checkFill('fill', args);
  const values = new Float64Array(elementCount(args.out.shape)).fill(args.value);
  storeFloat64('fill', 'out', args.out, values);
}

function gemm(args: GemmArgs): void {
  checkGemm('gemm', args);
  const product = gemmRef(args);
  if (args.accumulate) addInto(product.data, loadFloat64('gemm', 'out', args.out));
  store('gemm', 'out', args.out, product);
}

function rmsNormBackward(args: RmsNormBackwardArgs): void {
  const op = 'rmsNormBackward';
  checkRmsNormBackward(op, args);
  const grads = rmsNormBackwardRef(args);
  store(op, 'gradX', args.gradX, grads.gradX);
  store(op, 'gradWeight', args.gradWeight, grads.gradWeight);
  store(op, 'gradGate', args.gradGate, grads.gradGate);
}

function layerNormBackward(args: LayerNormBackwardArgs): void {
  const op = 'layerNormBackward';
  checkLayerNormBackward(op, args);
  const grads = layerNormBackwardRef(args);
  store(op, 'gradX', args.gradX, grads.gradX);
  store(op, 'gradWeight', args.gradWeight, grads.gradWeight);
  store(op, 'gradBias', args.gradBias, grads.gradBias);
}

function linearCrossEntropy(args: LinearCrossEntropyArgs): void {
  const op = 'linearCrossEntropy';
  checkLinearCrossEntropy(op, args);
  const result = linearCrossEntropyRef(args);
  storeFloat64(op, 'loss', args.loss, Float64Array.of(result.loss));
  store(op, 'correct', args.correct, { data: Float64Array.of(result.correct) });
  store(op, 'gradX', args.gradX, result.gradX);
  store(op, 'gradWeight', args.gradWeight, result.gradWeight);
  store(op, 'gradBias', args.gradBias, result.gradBias);
}

function adamw(args: AdamWArgs): void {
  checkAdamW('adamw', args);
  adamwRef(args).forEach((updated, index) => {
    const slot = args.slots[index] as AdamWArgs['slots'][number];
    store('adamw', 'param', slot.param, updated.param);
    store('adamw', 'm', slot.m, updated.m);
    store('adamw', 'v', slot.v, updated.v);
  });
}

/** Writes a result into the output it was asked for; an output that is absent is not asked for. */
function store(
  op: string,
  argument: string,
  tensor: TensorLike | undefined,
  result: { readonly data: Float64Array } | undefined,
): void {
  if (tensor !== undefined && result !== undefined) storeFloat64(op, argument, tensor, result.data);
}

function addInto(target: Float64Array, values: Float64Array): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) + (values[i] as number);
}
