/**
 * Causal softmax attention as a matrix, and how well few ranks approximate it:
 *   P[t,s] = exp(S[t,s]) / sum_{r<=t} exp(S[t,r]) for s <= t, else 0;  S = Q K^T / sqrt(dK).
 */
import { ArgumentError } from '@statespace/ssd-core';
import { type Matrix, subMatrix } from '@statespace/ssd-core/structure';
import type { Generator } from '@statespace/tensor';

/** S = Q K^T / sqrt(dK), (T, T), with Q and K (T, dK) standard normal. */
export function randomScores(seqLen: number, dK: number, generator: Generator): Matrix {
  const q = generator.normal(seqLen * dK);
  const k = generator.normal(seqLen * dK);
  const scale = 1 / Math.sqrt(dK);
  return squareMatrix(seqLen, (t, s) => {
    let sum = 0;
    for (let i = 0; i < dK; i++) sum += (q[t * dK + i] as number) * (k[s * dK + i] as number);
    return scale * sum;
  });
}

/** P (T, T) of scores S (T, T). Each row is shifted by its largest admitted score: no exponential exceeds 1. */
export function causalSoftmax(scores: Matrix): Matrix {
  const { rows, cols, data } = scores;
  const out = new Float64Array(rows * cols);
  for (let t = 0; t < rows; t++) {
    const row = data.subarray(t * cols, t * cols + t + 1);
    const largest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const weights = row.map((score) => Math.exp(score - largest));
    const total = weights.reduce((a, b) => a + b, 0);
    for (const [s, weight] of weights.entries()) out[t * cols + s] = weight / total;
  }
  return { rows, cols, data: out };
}

/** P[t,s] = 1 / (t + 1): softmax of equal scores. Its rank is T, and yet it is 1-semiseparable. */
export function uniformCausalAttention(seqLen: number): Matrix {
  return squareMatrix(seqLen, (t, s) => (s <= t ? 1 / (t + 1) : 0));
}

/** M[T/2:, :T/2]: how the second half reads the first. Its rank is what a state at T/2 must hold. */
export function cornerBlock(matrix: Matrix): Matrix {
  const half = Math.floor(matrix.cols / 2);
  return subMatrix(matrix, half, matrix.rows, 0, half);
}

/**
 * Relative error of the best approximation of rank r, r = 0 ... number of singular values, in the Frobenius norm
 * (Eckart & Young 1936): e[r] = sqrt(sum_{i >= r} sigma_i^2 / sum_i sigma_i^2).
 * @param singularValues descending
 * @throws {ArgumentError} when all are zero: there is nothing to be relative to.
 */
export function lowRankErrors(singularValues: Float64Array): Float64Array {
  const errors = new Float64Array(singularValues.length + 1);
  let tail = 0;
  // From the smallest on, so that small squares are not lost against large ones.
  for (let r = singularValues.length - 1; r >= 0; r--) {
    tail += (singularValues[r] as number) ** 2;
    errors[r] = tail;
  }
  if (tail === 0) {
    throw new ArgumentError({
      op: 'lowRankErrors',
      argument: 'singularValues',
      wanted: 'one above zero',
      got: 'none',
    });
  }
  return errors.map((square) => Math.sqrt(square / tail));
}

/** Least rank whose relative error is at most `tolerance`. */
export function rankWithin(errors: Float64Array, tolerance: number): number {
  return errors.findIndex((error) => error <= tolerance);
}

/** (T, T) of `entry(t, s)`. */
function squareMatrix(seqLen: number, entry: (t: number, s: number) => number): Matrix {
  const data = Float64Array.from({ length: seqLen * seqLen }, (_, i) =>
    entry(Math.floor(i / seqLen), i % seqLen),
  );
  return { rows: seqLen, cols: seqLen, data };
}
