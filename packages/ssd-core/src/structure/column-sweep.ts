/** Walks the columns of a causal block from left to right, with the rank of what lies below and left of each. */
import { type ColumnSpan, columnSpan, extendSpan } from './column-span.js';
import { type Matrix, subMatrix } from './matrix.js';
import { countAbove, defaultTolerance } from './rank.js';
import { singularValues } from './singular-values.js';

/** Column t of M seen from row t on, against the columns before it. */
export interface ColumnStep {
  /** M[t:,t]. */
  readonly column: Float64Array;
  /** Column space of M[t:, :t]. */
  readonly before: ColumnSpan;
  /** Column space of M[t:, :t+1]. */
  readonly span: ColumnSpan;
  /** rank(M[t:, :t]). */
  readonly rankBefore: number;
  /** Whether rank(M[t:, :t+1]) is larger: the column is new. */
  readonly isNew: boolean;
}

/**
 * One step for each column of the square `m`. Both ranks of a step count singular values above the same tolerance:
 * `tolerance`, or max(rows, cols) 2^-52 sigma_1 of the wider block.
 */
export function* sweepColumns(m: Matrix, tolerance?: number): Generator<ColumnStep, void> {
  const size = m.rows;
  for (let t = 0; t < size; t++) {
    const before = columnSpan(subMatrix(m, t, size, 0, t));
    const column = subMatrix(m, t, size, t, t + 1).data;
    const span = extendSpan(before, column);
    const values = singularValues(span.coefficients);
    const tau = tolerance ?? defaultTolerance(size - t, t + 1, values[0] ?? 0);
    const rankBefore = countAbove(singularValues(before.coefficients), tau);
    yield { column, before, span, rankBefore, isNew: countAbove(values, tau) > rankBefore };
  }
}
