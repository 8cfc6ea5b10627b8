/**
 * New columns and diagonal blocks: what decides whether a kernel has a narrow 1-SS dual.
 * Source: Hu et al. 2025, arXiv:2510.04944, Definition 4.2 (PMLR 3.2) and Theorem 4.1 (PMLR 3.1).
 */
import { sweepColumns } from './column-sweep.js';
import { checkSquare, type Matrix, subMatrix } from './matrix.js';
import { checkTolerance } from './rank.js';

/** Steps begin ... end - 1. */
export interface DiagonalBlock {
  readonly begin: number;
  readonly end: number;
}

/**
 * Every t whose column is new: M[t:,t] is not in the span of M[t:,:t]. Entries above the diagonal do not count.
 *
 * Rows drop out as t grows, so both ranks, with the column and without, are taken anew at each t, within the diagonal
 * block of t: singular values above `tolerance` (absolute; by default max(rows, cols) 2^-52 sigma_1 of the wider block).
 * @throws {ShapeError | NonFiniteError} for what is no finite square matrix. @throws {ArgumentError} for a negative
 * tolerance.
 */
export function newColumns(m: Matrix, tolerance?: number): number[] {
  checkSquare('newColumns', 'm', m);
  checkTolerance('newColumns', tolerance);
  return diagonalBlocks(m).flatMap((block) => {
    const found: number[] = [];
    let t = block.begin;
    for (const { isNew } of sweepColumns(blockOf(m, block), tolerance)) {
      if (isNew) found.push(t);
      t += 1;
    }
    return found;
  });
}

/** A copy of M[begin:end, begin:end]. */
export function blockOf(m: Matrix, { begin, end }: DiagonalBlock): Matrix {
  return subMatrix(m, begin, end, begin, end);
}

/**
 * The finest diagonal blocks that hold all nonzeros on and below the diagonal: a cut at every t with M[t:,:t] = 0.
 * @throws {ShapeError | NonFiniteError} for what is no finite square matrix.
 */
export function diagonalBlocks(m: Matrix): DiagonalBlock[] {
  checkSquare('diagonalBlocks', 'm', m);
  // The last row that reads a column so far: a cut comes after it.
  const blocks: DiagonalBlock[] = [];
  let [begin, last] = [0, 0];
  for (let t = 0; t < m.rows; t++) {
    for (let row = m.rows - 1; row > last; row--) {
      if (m.data[row * m.cols + t] !== 0) last = row;
    }
    if (Math.max(last, t) > t) continue;
    blocks.push({ begin, end: t + 1 });
    [begin, last] = [t + 1, t + 1];
  }
  return blocks;
}
