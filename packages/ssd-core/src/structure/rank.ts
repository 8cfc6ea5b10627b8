/**
 * The four ranks of the duality study. They are different numbers, and the literature mixes them up:
 * - `rank`, of any matrix: singular values above a tolerance;
 * - `generatorRank`, of the Vandermonde matrix of the decays: the number of different decays;
 * - `semiseparableOrder`, of a kernel: the largest rank of a block on or below the diagonal; N for N states;
 * - `kernelRank`, the ordinary rank of a kernel: T wherever its diagonal has no zero, whatever N.
 */
import { ArgumentError } from '../errors.js';
import { checkSquare, type Matrix } from './matrix.js';
import { singularValues } from './singular-values.js';

/** A numerical rank beside the exact one. */
export interface RankResult {
  /** #{ sigma_i > tau }, tau = max(rows, cols) 2^-52 sigma_1. */
  readonly rank: number;
  /** The exact rank. */
  readonly theory: number;
  /** float64 cannot tell the exact rank: singular value number `theory` is not clear of rounding. Not a failure. */
  readonly saturated: boolean;
}

/** Singular values this many times above tau are no product of rounding. */
const clearance = 8;

/** tau = max(rows, cols) 2^-52 sigma_1: up to there a singular value may be rounding. The rule of NumPy's matrix_rank. */
export function defaultTolerance(rows: number, cols: number, largest: number): number {
  return Math.max(rows, cols) * 2 ** -52 * largest;
}

/**
 * #{ sigma_i > tolerance }, the numerical rank of `m`.
 * @param tolerance absolute; by default max(rows, cols) 2^-52 sigma_1.
 * @throws {ShapeError | NonFiniteError} for what is no finite matrix. @throws {ArgumentError} for a negative tolerance.
 */
export function rank(m: Matrix, tolerance?: number): number {
  checkTolerance('rank', tolerance);
  const values = singularValues(m);
  const tau = tolerance ?? defaultTolerance(m.rows, m.cols, values[0] ?? 0);
  return countAbove(values, tau);
}

/**
 * The ordinary rank of a kernel M (T, T). A causal kernel without a zero on its diagonal has rank T, never N.
 * @throws {ShapeError | NonFiniteError} for what is no finite square matrix. @throws {ArgumentError} as `rank`.
 */
export function kernelRank(m: Matrix, tolerance?: number): number {
  checkSquare('kernelRank', 'm', m);
  return rank(m, tolerance);
}

/** How many of the descending `values` are above `tau`. */
export function countAbove(values: Float64Array, tau: number): number {
  return values.filter((value) => value > tau).length;
}

/** Whether at least `count` of the descending `values` are so far above `tau` that rounding cannot have made them. */
export function hasClear(values: Float64Array, count: number, tau: number): boolean {
  return count === 0 || (values[count - 1] ?? 0) > clearance * tau;
}

/** @throws {ArgumentError} unless `tolerance` is absent or a number of 0 or more. */
export function checkTolerance(op: string, tolerance: number | undefined): void {
  if (tolerance === undefined || (tolerance >= 0 && tolerance < Number.POSITIVE_INFINITY)) return;
  throw new ArgumentError({
    op,
    argument: 'tolerance',
    wanted: 'a finite number of 0 or more',
    got: String(tolerance),
  });
}
