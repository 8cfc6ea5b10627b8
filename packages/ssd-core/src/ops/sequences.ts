/** Packed sequences and index inputs: copied first, then checked, then used. */
import { ArgumentError, ShapeError } from '../errors.js';
import { loadContiguous } from '../reference/views.js';
import { expectInput, expectRank, indexDTypes } from '../tensor-checks.js';
import { formatShape, type TensorLike } from '../tensor-like.js';

/** One run of steps that share a state. */
export interface SequenceSpan {
  /** Batch row that holds the steps. */
  readonly row: number;
  readonly start: number;
  readonly end: number;
  /** Row of the initial and final states. */
  readonly state: number;
}

/**
 * Rows of the state tensors: one per batch row, or one per packed sequence.
 * @throws {ShapeError} unless `cuSeqlens` is (S + 1) and the batch is one packed row. @throws {DTypeError}
 */
export function stateRows(op: string, batch: number, cuSeqlens: TensorLike | undefined): number {
  if (cuSeqlens === undefined) return batch;
  expectInput(op, 'cuSeqlens', cuSeqlens, { dtypes: indexDTypes });
  expectRank(op, 'cuSeqlens', cuSeqlens, 1, '(S + 1)');
  const entries = cuSeqlens.shape[0] as number;
  if (entries < 1) {
    throw new ShapeError({
      op,
      argument: 'cuSeqlens',
      wanted: 'S + 1 >= 1 entries',
      got: formatShape(cuSeqlens.shape),
    });
  }
  if (batch !== 1) {
    throw new ShapeError({
      op,
      argument: 'cuSeqlens',
      wanted: 'one packed row, batch 1',
      got: `batch ${batch}`,
    });
  }
  return entries - 1;
}

/**
 * A checked host copy of `cuSeqlens`: it starts at 0, never decreases and ends at `seqLen`.
 * @throws {ArgumentError} naming the first entry that does not fit.
 */
export function readCuSeqlens(
  op: string,
  cuSeqlens: TensorLike | undefined,
  seqLen: number,
): Int32Array | undefined {
  if (cuSeqlens === undefined) return undefined;
  const bounds = loadContiguous(op, 'cuSeqlens', cuSeqlens) as Int32Array;
  const refuse = (position: number, wanted: string): never => {
    throw new ArgumentError({
      op,
      argument: `cuSeqlens[${position}]`,
      wanted,
      got: String(bounds[position]),
    });
  };
  if (bounds[0] !== 0) refuse(0, '0');
  for (let s = 1; s < bounds.length; s++) {
    const before = bounds[s - 1] as number;
    if ((bounds[s] as number) < before) refuse(s, `at least ${before}, the entry before it`);
  }
  if (bounds[bounds.length - 1] !== seqLen) refuse(bounds.length - 1, `seqLen = ${seqLen}`);
  return bounds;
}

/** The spans of a batch: whole rows, or the packed sequences of row 0. Empty sequences stay in the list. */
export function sequenceSpans(batch: number, seqLen: number, bounds: Int32Array | undefined): SequenceSpan[] {
  const spans: SequenceSpan[] = [];
  if (bounds === undefined) {
    for (let b = 0; b < batch; b++) spans.push({ row: b, start: 0, end: seqLen, state: b });
    return spans;
  }
  for (let s = 0; s + 1 < bounds.length; s++) {
    spans.push({ row: 0, start: bounds[s] as number, end: bounds[s + 1] as number, state: s });
  }
  return spans;
}

/**
 * Rows of a state buffer for each sequence of a decode step: a checked host copy, 0, 1, 2 ... when absent.
 * Negative entries mark padding; two sequences may not share a row, since both would write it.
 * @throws {ArgumentError} naming the first entry out of range or used twice.
 */
export function readStateIndices(
  op: string,
  argument: string,
  indices: TensorLike | undefined,
  batch: number,
  rows: number,
): Int32Array {
  if (indices === undefined) return Int32Array.from({ length: batch }, (_, b) => b);
  const rowOf = loadContiguous(op, argument, indices) as Int32Array;
  const taken = new Set<number>();
  rowOf.forEach((row, position) => {
    if (row < 0) return;
    if (row >= rows || taken.has(row)) {
      throw new ArgumentError({
        op,
        argument: `${argument}[${position}]`,
        wanted: row >= rows ? `a row below ${rows}, or a negative number for padding` : 'a row used once',
        got: String(row),
      });
    }
    taken.add(row);
  });
  return rowOf;
}
