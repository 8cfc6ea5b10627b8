/** Shapes of the fused output head. */
import type { LinearCrossEntropyArgs } from '../../kernels/dense-args.js';
import { expectInput, expectOutput, expectRank, indexDTypes } from '../../tensor-checks.js';
import { defaultIgnoreIndex, expectIgnoreIndex } from '../cross-entropy/shapes.js';

export type LinearCrossEntropyInputs = Pick<
  LinearCrossEntropyArgs,
  'x' | 'weight' | 'bias' | 'targets' | 'ignoreIndex'
>;

/** x (rows, features), weight (classes, features). */
export interface LinearCrossEntropyDims {
  readonly rows: number;
  readonly features: number;
  readonly classes: number;
  readonly ignoreIndex: number;
}

/** @throws {StatespaceError} naming `op` and the argument that does not fit; entries of targets are not read. */
export function checkLinearCrossEntropy(op: string, args: LinearCrossEntropyArgs): LinearCrossEntropyDims {
  const dims = checkLinearCrossEntropyInputs(op, args);
  const { rows, features, classes } = dims;
  expectOutput(op, 'loss', args.loss, { shape: [1] });
  if (args.correct !== undefined) expectOutput(op, 'correct', args.correct, { shape: [1] });
  if (args.gradX !== undefined) {
    expectOutput(op, 'gradX', args.gradX, { shape: [rows, features], letters: '(M, K)' });
  }
  if (args.gradWeight !== undefined) {
    expectOutput(op, 'gradWeight', args.gradWeight, { shape: [classes, features], letters: '(V, K)' });
  }
  if (args.gradBias !== undefined) {
    expectOutput(op, 'gradBias', args.gradBias, { shape: [classes], letters: '(V)' });
  }
  return dims;
}

/** @throws {StatespaceError} naming `op` and the argument that does not fit; entries of targets are not read. */
export function checkLinearCrossEntropyInputs(
  op: string,
  inputs: LinearCrossEntropyInputs,
): LinearCrossEntropyDims {
  const { x, weight, bias, targets, ignoreIndex = defaultIgnoreIndex } = inputs;
  expectInput(op, 'x', x);
  expectRank(op, 'x', x, 2, '(M, K)');
  const [rows, features] = x.shape as [number, number];
  expectInput(op, 'weight', weight);
  expectRank(op, 'weight', weight, 2, '(V, K)');
  const classes = weight.shape[0] as number;
  expectInput(op, 'weight', weight, { shape: [classes, features], letters: '(V, K)' });
  if (bias !== undefined) expectInput(op, 'bias', bias, { shape: [classes], letters: '(V)' });
  expectInput(op, 'targets', targets, { shape: [rows], letters: '(M)', dtypes: indexDTypes });
  expectIgnoreIndex(op, ignoreIndex);
  return { rows, features, classes, ignoreIndex };
}
