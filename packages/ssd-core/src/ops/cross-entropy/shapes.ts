/** Shapes and options of the cross-entropy losses. */
import { ArgumentError } from '../../errors.js';
import type {
  CrossEntropyArgs,
  CrossEntropyBackwardArgs,
  CrossEntropyInputs,
} from '../../kernels/dense-args.js';
import { expectInput, expectOutput, expectRank, indexDTypes } from '../../tensor-checks.js';

/** What targets say when a row is not to count. */
export const defaultIgnoreIndex = -100;

/** logits (rows, classes) with their options filled in. */
export interface CrossEntropyDims {
  readonly rows: number;
  readonly classes: number;
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;
}

/** @throws {StatespaceError} naming `op` and the argument that does not fit; entries of targets are not read. */
export function checkCrossEntropy(op: string, args: CrossEntropyArgs): CrossEntropyDims {
  const dims = checkCrossEntropyInputs(op, args);
  expectOutput(op, 'losses', args.losses, { shape: [dims.rows], letters: '(M)' });
  return dims;
}

/** @throws {StatespaceError} naming `op` and the argument that does not fit; entries of targets are not read. */
export function checkCrossEntropyBackward(op: string, args: CrossEntropyBackwardArgs): CrossEntropyDims {
  const dims = checkCrossEntropyInputs(op, args);
  expectInput(op, 'gradLosses', args.gradLosses, { shape: [dims.rows], letters: '(M)' });
  expectOutput(op, 'gradLogits', args.gradLogits, { shape: [dims.rows, dims.classes], letters: '(M, V)' });
  return dims;
}

/** @throws {StatespaceError} naming `op` and the argument that does not fit; entries of targets are not read. */
export function checkCrossEntropyInputs(op: string, inputs: CrossEntropyInputs): CrossEntropyDims {
  const { logits, targets, ignoreIndex = defaultIgnoreIndex, labelSmoothing = 0 } = inputs;
  expectInput(op, 'logits', logits);
  expectRank(op, 'logits', logits, 2, '(M, V)');
  const [rows, classes] = logits.shape as [number, number];
  expectInput(op, 'targets', targets, { shape: [rows], letters: '(M)', dtypes: indexDTypes });
  expectIgnoreIndex(op, ignoreIndex);
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new ArgumentError({
      op,
      argument: 'labelSmoothing',
      wanted: 'a number in [0, 1]',
      got: String(labelSmoothing),
    });
  }
  return { rows, classes, ignoreIndex, labelSmoothing };
}

/** @throws {ArgumentError} unless it is a 32-bit integer. */
export function expectIgnoreIndex(op: string, ignoreIndex: number): void {
  if ((ignoreIndex | 0) === ignoreIndex) return;
  throw new ArgumentError({
    op,
    argument: 'ignoreIndex',
    wanted: 'a 32-bit integer',
    got: String(ignoreIndex),
  });
}
