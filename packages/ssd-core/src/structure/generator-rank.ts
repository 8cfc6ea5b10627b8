/**
 * Rank of the generators of constant decays: of V[k,n] = lambda_n^k, the Vandermonde matrix (T, N). Its exact rank is
 * min(T, number of different decays); float64 loses track where decays lie close together.
 */
import { checkCount, checkFinite, type Matrix, zeroMatrix } from './matrix.js';
import { countAbove, defaultTolerance, hasClear, type RankResult } from './rank.js';
import { singularValues } from './singular-values.js';

/** A decay: a number, or a complex one as [real, imaginary]. */
export type Decay = number | readonly [number, number];

/**
 * Numerical and exact rank of the Vandermonde matrix lambda_n^k, k < T.
 * @throws {ArgumentError} for a `seqLen` that is no length. @throws {NonFiniteError} when a power overflows.
 */
export function generatorRank(decays: readonly Decay[], seqLen: number): RankResult {
  checkCount('generatorRank', 'seqLen', seqLen, 0);
  const pairs = decays.map((decay): readonly [number, number] =>
    typeof decay === 'number' ? [decay, 0] : decay,
  );
  // Adding 0 takes -0 to 0: the two are one decay.
  const theory = Math.min(seqLen, new Set(pairs.map(([re, im]) => `${re + 0},${im + 0}`)).size);
  const complex = pairs.some(([, im]) => im !== 0);
  const powers = complex
    ? complexVandermonde(pairs, seqLen)
    : vandermonde(
        pairs.map(([re]) => re),
        seqLen,
      );
  checkFinite('generatorRank', 'powers of decays', powers);
  const all = singularValues(powers);
  // The real form of a complex matrix has every singular value twice.
  const values = complex ? all.filter((_, i) => i % 2 === 0) : all;
  const tau = defaultTolerance(seqLen, decays.length, values[0] ?? 0);
  return { rank: countAbove(values, tau), theory, saturated: !hasClear(values, theory, tau) };
}

/** V[k,n] = lambda_n^k for k = 0 ... T - 1, (T, N). */
export function vandermonde(decays: readonly number[], seqLen: number): Matrix {
  const powers = zeroMatrix(seqLen, decays.length);
  decays.forEach((decay, n) => {
    let power = 1;
    for (let k = 0; k < seqLen; k++) {
      powers.data[k * powers.cols + n] = power;
      power *= decay;
    }
  });
  return powers;
}

/** [[Re V, -Im V], [Im V, Re V]], (2T, 2N): the map of V on pairs of reals. */
function complexVandermonde(decays: readonly (readonly [number, number])[], seqLen: number): Matrix {
  const dState = decays.length;
  const powers = zeroMatrix(2 * seqLen, 2 * dState);
  const { cols, data } = powers;
  decays.forEach(([decayRe, decayIm], n) => {
    let [re, im] = [1, 0];
    for (let k = 0; k < seqLen; k++) {
      data[k * cols + n] = re;
      data[k * cols + dState + n] = -im;
      data[(seqLen + k) * cols + n] = im;
      data[(seqLen + k) * cols + dState + n] = re;
      [re, im] = [re * decayRe - im * decayIm, re * decayIm + im * decayRe];
    }
  });
  return powers;
}
