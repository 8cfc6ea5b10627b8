/**
 * Output head and mean cross-entropy in one pass that never holds all logits:
 *   loss = mean over counted rows of CE(x weight^T + bias, targets).
 * x (..., K), weight (V, K), bias (V), targets i32 (...), loss and correct ().
 * The gradients of the mean are made in the forward pass; backward scales them by the gradient of the loss.
 */
import { expectShape, formatShape, ShapeError, type TensorLike } from '@statespace/ssd-core';
import { record } from '../autograd/graph.js';
import { isGradEnabled } from '../autograd/mode.js';
import { sameShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { checkPeers, checkRank, dropIndices, type Indices, indexTensor } from './arguments.js';
import { allocate, allocateLike, dense, denseMaybe, drop, rowsOf, shaped } from './layout.js';

export interface LinearCrossEntropyOptions {
  /** (V) */
  readonly bias?: Tensor;
  /** Targets that do not count. Default -100. */
  readonly ignoreIndex?: number;
}

export interface LinearCrossEntropyResult {
  /** Mean loss in nats, (); 0 when no target counts. */
  readonly loss: Tensor;
  /** Counted targets that have the largest logit of their row, (). No gradient. */
  readonly correct: Tensor;
}

/** Mean cross-entropy of the head's logits, and how many it gets right. @throws {ShapeError} */
export function linearCrossEntropy(
  x: Tensor,
  weight: Tensor,
  targets: Indices,
  options: LinearCrossEntropyOptions = {},
): LinearCrossEntropyResult {
  const op = 'linearCrossEntropy';
  const { bias, ignoreIndex = -100 } = options;
  checkPeers(op, 'x', x, { weight, bias });
  checkRank(op, 'weight', weight, [2], '(V, K)');
  const [classes, width] = weight.shape as readonly [number, number];
  if (x.rank === 0 || x.shape.at(-1) !== width) {
    throw new ShapeError({ op, argument: 'x', wanted: `(..., ${width})`, got: formatShape(x.shape) });
  }
  if (bias !== undefined) expectShape(op, 'bias', bias, [classes], '(V)');
  const { kernels, dtype } = x;
  const given = indexTensor(op, 'targets', targets, kernels);
  const lead = x.shape.slice(0, -1);
  if (!sameShape(given.shape, lead)) {
    throw new ShapeError({
      op,
      argument: 'targets',
      wanted: `${formatShape(lead)}, the shape of x without its last axis`,
      got: formatShape(given.shape),
    });
  }
  const truth = dense(given);
  const rows = rowsOf(x);
  const copy = rows === undefined ? dense(x) : undefined;
  const input: TensorLike = rows ?? shaped(copy as Tensor, [given.size, width]);
  const matrix = dense(weight);
  const shift = denseMaybe(bias);
  const loss = allocate(kernels, dtype, []);
  const correct = allocate(kernels, 'f32', []);
  const wanted = (tensor: Tensor | undefined) => isGradEnabled() && tensor?.requiresGrad === true;
  const gradX = wanted(x) ? allocateLike(x) : undefined;
  const gradWeight = wanted(weight) ? allocateLike(weight) : undefined;
  const gradBias = bias !== undefined && wanted(bias) ? allocateLike(bias) : undefined;
  kernels.linearCrossEntropy({
    x: input,
    weight: matrix,
    bias: shift,
    targets: shaped(truth, [given.size]),
    ignoreIndex,
    loss: shaped(loss, [1]),
    correct: shaped(correct, [1]),
    gradX: gradX === undefined ? undefined : shaped(gradX, [given.size, width]),
    gradWeight,
    gradBias,
  });
  // Saved tensors are the gradients themselves; with d loss = 1 they pass on as they are.
  const made = [gradX, gradWeight, gradBias] as const;
  record(op, [loss], [x, weight, bias], made, ({ grad, saved, unit }) =>
    saved.map((part) => (unit || part === undefined ? part : part.mul(grad))),
  );
  for (const part of made) part?.dispose();
  copy?.dispose();
  drop(shift, bias);
  drop(matrix, weight);
  drop(truth, given);
  dropIndices(given, targets);
  return { loss, correct };
}
