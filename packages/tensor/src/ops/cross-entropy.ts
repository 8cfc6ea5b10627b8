/**
 * Cross-entropy of logits against class indices. logits (..., V), targets i32 (...), as torch defines it:
 *   loss = -(1 - s) log p[target] - s mean_v log p[v],  s = labelSmoothing.
 * 'none' gives (...), 0 where ignored; 'sum' their sum; 'mean' the sum over the number of counted targets.
 */
import { ArgumentError, formatShape, ShapeError } from '@statespace/ssd-core';
import { record } from '../autograd/graph.js';
import { sameShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { checkFloat, dropIndices, type Indices, indexTensor } from './arguments.js';
import { allocate, allocateLike, dense, drop, shaped } from './layout.js';

export interface CrossEntropyOptions {
  /** Targets that do not count. Default -100. */
  readonly ignoreIndex?: number;
  /** In [0, 1]. Default 0. */
  readonly labelSmoothing?: number;
  /** Default `'mean'`. */
  readonly reduction?: 'mean' | 'sum' | 'none';
}

/** Cross-entropy of `logits` against `targets`. A mean over no counted target is NaN. */
export function crossEntropy(logits: Tensor, targets: Indices, options: CrossEntropyOptions = {}): Tensor {
  const { ignoreIndex = -100, labelSmoothing = 0, reduction = 'mean' } = options;
  if (reduction !== 'mean' && reduction !== 'sum' && reduction !== 'none') {
    throw new ArgumentError({
      op: 'crossEntropy',
      argument: 'reduction',
      wanted: "'mean', 'sum' or 'none'",
      got: String(reduction),
    });
  }
  checkFloat('crossEntropy', 'logits', logits);
  const given = indexTensor('crossEntropy', 'targets', targets, logits.kernels);
  const losses = rowLosses(logits, given, ignoreIndex, labelSmoothing);
  try {
    if (reduction === 'none') return losses;
    const total = losses.sum();
    if (reduction === 'sum') return total;
    const counted = countTargets(given, ignoreIndex);
    const mean = total.mul(1 / counted);
    total.dispose();
    return mean;
  } finally {
    if (reduction !== 'none') losses.dispose();
    dropIndices(given, targets);
  }
}

function countTargets(targets: Tensor, ignoreIndex: number): number {
  let counted = 0;
  for (const target of targets.toArray()) if (target !== ignoreIndex) counted += 1;
  return counted;
}

function rowLosses(logits: Tensor, targets: Tensor, ignoreIndex: number, labelSmoothing: number): Tensor {
  const op = 'crossEntropy';
  const lead = logits.shape.slice(0, -1);
  if (logits.rank === 0 || !sameShape(lead, targets.shape)) {
    throw new ShapeError({
      op,
      argument: 'targets',
      wanted: `${formatShape(lead)}, the shape of logits without its last axis`,
      got: formatShape(targets.shape),
    });
  }
  const { kernels, dtype } = logits;
  const rows = targets.size;
  const matrix = [rows, logits.shape.at(-1) as number];
  const classes = dense(targets);
  const scores = dense(logits);
  const settings = { ignoreIndex, labelSmoothing };
  const losses = allocate(kernels, dtype, lead);
  kernels.crossEntropy({
    logits: shaped(scores, matrix),
    targets: shaped(classes, [rows]),
    ...settings,
    losses: shaped(losses, [rows]),
  });
  record(op, [losses], [logits], [scores, classes], ({ grad, saved: [values, truth] }) => {
    const gradLogits = allocateLike(values);
    kernels.crossEntropyBackward({
      logits: shaped(values, matrix),
      targets: shaped(truth, [rows]),
      ...settings,
      gradLosses: shaped(dense(grad), [rows]),
      gradLogits: shaped(gradLogits, matrix),
    });
    return [gradLogits];
  });
  drop(scores, logits);
  drop(classes, targets);
  return losses;
}
