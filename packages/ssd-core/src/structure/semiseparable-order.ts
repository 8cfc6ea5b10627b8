/** The semiseparable order of a kernel: the largest rank of a block M[t:, :t+1], its corner on the diagonal. */
import { columnSpan } from './column-span.js';
import { checkCount, checkSquare, type Matrix, subMatrix } from './matrix.js';
import { checkTolerance, countAbove, defaultTolerance, hasClear, type RankResult } from './rank.js';
import { singularValues } from './singular-values.js';

/**
 * max_t rank(M[t:, :t+1]), N for the kernel of a generic SSM of N states. Entries above the diagonal do not count.
 * Source: Dao & Gu 2024, arXiv:2405.21060, definition 3.1 ("on or below the diagonal").
 * @param tolerance absolute; by default max(rows, cols) 2^-52 sigma_1 of each block.
 * @throws {ShapeError | NonFiniteError} for what is no finite square matrix. @throws {ArgumentError} for a negative
 * tolerance.
 */
export function semiseparableOrder(m: Matrix, tolerance?: number): number {
  checkSquare('semiseparableOrder', 'm', m);
  checkTolerance('semiseparableOrder', tolerance);
  let order = 0;
  for (const t of stepsFromTheMiddle(m.rows)) {
    // Smaller blocks than this one only remain.
    if (blockSize(m, t) <= order) break;
    const { values, tau } = blockSpectrum(m, t);
    order = Math.max(order, countAbove(values, tolerance ?? tau));
  }
  return order;
}

/**
 * Semiseparable order of the kernel `m` beside the one that `theory` says it has.
 *
 * `saturated` tells that no block M[t:, :t+1] has `theory` singular values clear of rounding.
 * @throws {StatespaceError} as `semiseparableOrder`, and for a `theory` that is no count.
 */
export function semiseparableOrderAgainst(m: Matrix, theory: number): RankResult {
  checkSquare('semiseparableOrderAgainst', 'm', m);
  checkCount('semiseparableOrderAgainst', 'theory', theory, 0);
  let rank = 0;
  let clear = theory === 0;
  for (const t of stepsFromTheMiddle(m.rows)) {
    if (blockSize(m, t) <= rank && (clear || blockSize(m, t) < theory)) break;
    const { values, tau } = blockSpectrum(m, t);
    rank = Math.max(rank, countAbove(values, tau));
    clear ||= hasClear(values, theory, tau);
  }
  return { rank, theory, saturated: !clear };
}

/** 0 ... T - 1, the steps of large blocks first. */
function stepsFromTheMiddle(seqLen: number): number[] {
  const size = (t: number): number => Math.min(seqLen - t, t + 1);
  return Array.from({ length: seqLen }, (_, t) => t).sort((left, right) => size(right) - size(left));
}

/** The most rank that M[t:, :t+1] can have. */
function blockSize({ rows }: Matrix, t: number): number {
  return Math.min(rows - t, t + 1);
}

function blockSpectrum(m: Matrix, t: number): { values: Float64Array; tau: number } {
  const values = singularValues(columnSpan(subMatrix(m, t, m.rows, 0, t + 1)).coefficients);
  return { values, tau: defaultTolerance(m.rows - t, t + 1, values[0] ?? 0) };
}
