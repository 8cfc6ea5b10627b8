/** Index inputs of decode steps: copied first, then checked, then used. */
import { ArgumentError } from '../errors.js';
import { loadContiguous } from '../reference/views.js';
import type { TensorLike } from '../tensor-like.js';

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
