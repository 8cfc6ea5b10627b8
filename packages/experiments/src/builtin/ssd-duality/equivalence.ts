/** Whether two ways of computing the same outputs agree. */
import type { Matrix } from '@statespace/ssd-core/structure';
import type { Check } from '../../experiment/result.js';

/** How far outputs are apart. */
export interface OutputDifference {
  /** max|y - z|; infinite where an entry is no number or missing. */
  readonly maxAbs: number;
  /** max(1, max|z|). */
  readonly scale: number;
  /** maxAbs over the scale. */
  readonly relative: number;
}

/** Differences of `y` from `z`. */
export function outputDifference(y: ArrayLike<number>, z: ArrayLike<number>): OutputDifference {
  let maxAbs = y.length === z.length ? 0 : Number.POSITIVE_INFINITY;
  let scale = 1;
  for (let i = 0; i < z.length; i++) {
    const difference = Math.abs((y[i] as number) - (z[i] as number));
    // NaN compares false with everything: it must not pass for agreement.
    maxAbs = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(maxAbs, difference);
    scale = Math.max(scale, Math.abs(z[i] as number));
  }
  return { maxAbs, scale, relative: maxAbs / scale };
}

/** The largest of several, number by number. */
export function worstDifference(differences: readonly OutputDifference[]): OutputDifference {
  return {
    maxAbs: Math.max(0, ...differences.map(({ maxAbs }) => maxAbs)),
    scale: Math.max(1, ...differences.map(({ scale }) => scale)),
    relative: Math.max(0, ...differences.map(({ relative }) => relative)),
  };
}

/** What the logs hold of a difference: enough to apply the tolerance again. */
export function differenceMetadata({ maxAbs, scale }: OutputDifference) {
  return { max_abs_diff: maxAbs, output_scale: scale };
}

/** `claim` holds to `tolerance`, relative to the largest output, or to 1. */
export function agreement(claim: string, { maxAbs, relative }: OutputDifference, tolerance: number): Check {
  return {
    claim: `${claim}, to ${tolerance} of max(1, max|y|)`,
    passed: relative <= tolerance,
    found: `max|Δy| = ${maxAbs.toExponential(1)}`,
  };
}

/** The tolerance lets an error of `smallestError` not pass: agreement up to a loose one would prove nothing. */
export function toleranceIsStrict(y: Float64Array, tolerance: number, smallestError = 1e-9): Check {
  const largest = y.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  const wrong = y.map((value, t) => (t === y.length - 1 ? value + smallestError * largest : value));
  const { relative } = outputDifference(wrong, y);
  return {
    claim: `an error of ${smallestError} of the largest value, or of 1, does not pass for agreement`,
    passed: relative > tolerance,
    found: `${relative.toExponential(1)} against a tolerance of ${tolerance}`,
  };
}

/** Sum of matrices of the same shape. */
export function sumMatrices(matrices: readonly Matrix[]): Matrix {
  const [first, ...others] = matrices as readonly [Matrix, ...Matrix[]];
  const data = first.data.slice();
  for (const matrix of others) {
    for (const [i, entry] of matrix.data.entries()) data[i] = (data[i] as number) + entry;
  }
  return { ...first, data };
}

/** Euclidean norm of all entries. */
export function frobeniusNorm({ data }: Matrix): number {
  return Math.sqrt(data.reduce((sum, entry) => sum + entry * entry, 0));
}
