/**
 * Rank of the generators of constant decays: of V[k,n] = lambda_n^k, the Vandermonde matrix (T, N). Its exact rank is
 * min(T, number of different decays); float64 loses track where decays lie close together.
 */
import { checkCount, checkFinite, type Matrix, subMatrix, zeroMatrix } from './matrix.js';
import { defaultTolerance, semiseparableOrder } from './rank.js';
import { singularValues } from './singular-values.js';

/** A numerical rank beside the exact one. */
export interface RankResult {
  /** #{ sigma_i > tau }, tau = max(rows, cols) 2^-52 sigma_1. */
  readonly rank: number;
  /** The exact rank. */
  readonly theory: number;
  /** float64 cannot tell the exact rank: its last singular value is not clear of rounding. Not a failure. */
  readonly saturated: boolean;
}

/** A decay: a number, or a complex one as [real, imaginary]. */
export type Decay = number | readonly [number, number];

/** Singular values this many times above tau are no product of rounding. */
const clearance = 8;

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
  const powers = complex ? complexVandermonde(pairs, seqLen) : realVandermonde(pairs, seqLen);
  checkFinite('generatorRank', 'powers of decays', powers);
  const all = singularValues(powers);
  // The real form of a complex matrix has every singular value twice.
  const values = complex ? all.filter((_, i) => i % 2 === 0) : all;
  return judged(values, defaultTolerance(seqLen, decays.length, values[0] ?? 0), theory);
}

/**
 * Semiseparable order of the kernel `m` beside the one `theory` says it has.
 *
 * `saturated` tells that no block M[t:, :t+1] has `theory` singular values clear of rounding.
 * @throws {StatespaceError} as `semiseparableOrder`, and for a `theory` that is no count.
 */
export function semiseparableOrderAgainst(m: Matrix, theory: number): RankResult {
  checkCount('semiseparableOrderAgainst', 'theory', theory, 0);
  const order = semiseparableOrder(m);
  return { rank: order, theory, saturated: !hasClearBlock(m, theory) };
}

function hasClearBlock(m: Matrix, theory: number): boolean {
  if (theory === 0) return true;
  for (let t = theory - 1; t <= m.rows - theory; t++) {
    const block = subMatrix(m, t, m.rows, 0, t + 1);
    const values = singularValues(block);
    const tau = defaultTolerance(block.rows, block.cols, values[0] ?? 0);
    if ((values[theory - 1] ?? 0) > clearance * tau) return true;
  }
  return false;
}

function judged(values: Float64Array, tau: number, theory: number): RankResult {
  const rank = values.filter((value) => value > tau).length;
  const saturated = theory > 0 && !((values[theory - 1] ?? 0) > clearance * tau);
  return { rank, theory, saturated };
}

function realVandermonde(decays: readonly (readonly [number, number])[], seqLen: number): Matrix {
  const powers = zeroMatrix(seqLen, decays.length);
  decays.forEach(([decay], n) => {
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
