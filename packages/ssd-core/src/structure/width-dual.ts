/**
 * The dual condition: M = L o (Q K^T) with a 1-semiseparable mask L and Q, K (T, N) if and only if the nonzeros of M lie
 * in diagonal blocks with at most N new columns each. L is then 1 inside the blocks, on and below the diagonal.
 * Source: Hu et al. 2025, arXiv:2510.04944, Theorem 4.1 (PMLR 3.1).
 */
import { ArgumentError } from '../errors.js';
import { type ColumnStep, sweepColumns } from './column-sweep.js';
import { checkCount, checkSquare, type Matrix, zeroMatrix } from './matrix.js';
import { blockOf, type DiagonalBlock, diagonalBlocks } from './new-columns.js';
import { checkTolerance } from './rank.js';
import type { AttentionFactors } from './single-mask-dual.js';
import { triangularDual } from './triangular-dual.js';
import { triangularRealization } from './triangular-realization.js';

/** Whether a dual of some width exists, and the dual. */
export interface WidthDual {
  readonly exists: boolean;
  /** The finest diagonal blocks that hold all nonzeros on and below the diagonal. */
  readonly blocks: readonly DiagonalBlock[];
  /** The new columns of each block, counted from the first column of M. */
  readonly newColumns: readonly (readonly number[])[];
  /** Q (T, width), where a dual exists and float64 holds it. */
  readonly q?: Matrix;
  /** K (T, width): M = tril(Q K^T) inside the blocks. */
  readonly k?: Matrix;
  /** max|L o Q K^T - M| / max(1, max|M|), against the M given; infinite without q and k. */
  readonly maxError: number;
}

/**
 * The test of Theorem 4.1 for `width` N, and the dual where it passes. A matrix with nonzeros above the diagonal has
 * none. Without a dual that float64 can hold, because its entries span more than 2^2000, `q` and `k` are absent.
 * @param tolerance as for `newColumns`.
 * @throws {ShapeError | NonFiniteError} for what is no finite square matrix. @throws {ArgumentError} for a width below 1.
 */
export function widthDual(m: Matrix, width: number, tolerance?: number): WidthDual {
  checkSquare('widthDual', 'm', m);
  checkCount('widthDual', 'width', width, 1);
  checkTolerance('widthDual', tolerance);
  const blocks = diagonalBlocks(m);
  const walks = blocks.map((block) => walkBlock(m, block, width, tolerance));
  const newColumns = walks.map((walk) => walk.newColumns);
  const exists = isCausal(m) && newColumns.every((columns) => columns.length <= width);
  const findings = { exists, blocks, newColumns };
  if (!exists) return { ...findings, maxError: Number.POSITIVE_INFINITY };
  const q = zeroMatrix(m.rows, width);
  const k = zeroMatrix(m.rows, width);
  for (const [i, { begin }] of blocks.entries()) {
    const factors = triangularDual(triangularRealization((walks[i] as BlockWalk).steps));
    if (factors === undefined) return { ...findings, maxError: Number.POSITIVE_INFINITY };
    placeRows(q, factors.q, begin, 0);
    placeRows(k, factors.k, begin, 0);
  }
  return { ...findings, q, k, maxError: dualError(m, blocks, q, k) };
}

interface BlockWalk {
  readonly newColumns: readonly number[];
  /** All steps, or none when there are more than `width` new columns: they would be of no use, and large. */
  readonly steps: readonly ColumnStep[];
}

function walkBlock(m: Matrix, block: DiagonalBlock, width: number, tolerance: number | undefined): BlockWalk {
  const newColumns: number[] = [];
  let steps: ColumnStep[] = [];
  let t = block.begin;
  for (const step of sweepColumns(blockOf(m, block), tolerance)) {
    if (step.isNew) newColumns.push(t);
    if (newColumns.length <= width) steps.push(step);
    else steps = [];
    t += 1;
  }
  return { newColumns, steps };
}

/** A matrix of low rank that equals M on and below the diagonal, and its factors. */
export interface LowRankCompletion {
  /** (T, T); above the diagonal its entries are those of Q K^T. */
  readonly matrix: Matrix;
  /** The number of new columns of M: no completion has less rank. */
  readonly rank: number;
  /** (T, rank) */
  readonly q: Matrix;
  /** (T, rank) */
  readonly k: Matrix;
}

/**
 * Completes the lower triangle of M to a matrix Q K^T of least rank, the number of its new columns (Proposition 4.2).
 *
 * Columns are scanned from left to right. A column that is not new is a combination of those before it from its diagonal
 * on, and the same combination fills it above; a new one takes a direction of its own. Above the diagonal, entries grow
 * as fast as the entries of M decay below.
 * @param tolerance as for `newColumns`.
 * @throws {ShapeError | NonFiniteError} for what is no finite square matrix. @throws {ArgumentError} when the entries of
 * the factors span more than float64 does.
 */
export function completeLowRank(m: Matrix, tolerance?: number): LowRankCompletion {
  const op = 'completeLowRank';
  checkSquare(op, 'm', m);
  checkTolerance(op, tolerance);
  const blocks = diagonalBlocks(m);
  const factors = blocks.map((block) => {
    const found = triangularDual(triangularRealization(sweepColumns(blockOf(m, block), tolerance)));
    if (found !== undefined) return found;
    throw new ArgumentError({
      op,
      argument: 'm',
      wanted: 'a completion whose factors float64 can hold',
      got: `entries that span more than 2^2000 in steps ${block.begin} to ${block.end - 1}`,
    });
  });
  const rank = factors.reduce((sum, { q }) => sum + q.cols, 0);
  const q = zeroMatrix(m.rows, rank);
  const k = zeroMatrix(m.rows, rank);
  let from = 0;
  for (const [i, { begin }] of blocks.entries()) {
    const block = factors[i] as AttentionFactors;
    placeRows(q, block.q, begin, from);
    placeRows(k, block.k, begin, from);
    from += block.q.cols;
  }
  const data = m.data.map((entry, i) => {
    const [t, s] = [Math.floor(i / m.cols), i % m.cols];
    return s <= t ? entry : innerProduct(q, k, t, s);
  });
  return { matrix: { ...m, data }, rank, q, k };
}

function placeRows(target: Matrix, part: Matrix, row: number, column: number): void {
  for (let i = 0; i < part.rows; i++) {
    target.data.set(part.data.subarray(i * part.cols, (i + 1) * part.cols), (row + i) * target.cols + column);
  }
}

function isCausal({ cols, data }: Matrix): boolean {
  return data.every((entry, i) => entry === 0 || i % cols <= Math.floor(i / cols));
}

function dualError(m: Matrix, blocks: readonly DiagonalBlock[], q: Matrix, k: Matrix): number {
  let [worst, largest] = [0, 1];
  for (const { begin, end } of blocks) {
    for (let t = begin; t < end; t++) {
      for (let s = begin; s <= t; s++) {
        const entry = m.data[t * m.cols + s] as number;
        const error = Math.abs(innerProduct(q, k, t, s) - entry);
        if (Number.isNaN(error)) return Number.POSITIVE_INFINITY;
        worst = Math.max(worst, error);
        largest = Math.max(largest, Math.abs(entry));
      }
    }
  }
  return worst / largest;
}

function innerProduct(q: Matrix, k: Matrix, t: number, s: number): number {
  let sum = 0;
  for (let n = 0; n < q.cols; n++) {
    sum += (q.data[t * q.cols + n] as number) * (k.data[s * k.cols + n] as number);
  }
  return sum;
}
