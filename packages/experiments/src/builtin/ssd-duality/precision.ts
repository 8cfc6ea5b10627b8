/** The precision study: what few bits do to a recurrence with slow decay, and what keeps them harmless. */
import { Generator } from '@statespace/tensor';
import { summarizeValues } from '../../experiment/statistics.js';
import {
  exactRecurrence,
  type PrecisionScheme,
  precisionSchemes,
  prefixErrors,
  type RecurrenceFormats,
  roundedRecurrence,
} from './rounded-recurrence.js';

/** What the study computes with. Tests put broken mathematics in its place. */
export interface PrecisionMathematics {
  readonly exact: (a: number, u: Float64Array) => Float64Array;
  readonly rounded: (a: number, u: Float64Array, formats: RecurrenceFormats) => Float64Array;
}

export const precisionMathematics: PrecisionMathematics = {
  exact: exactRecurrence,
  rounded: roundedRecurrence,
};

/** Relative error of one scheme at one decay and length, over the trials. */
export interface PrecisionRow {
  readonly scheme: PrecisionScheme;
  readonly a: number;
  readonly T: number;
  readonly mean: number;
  readonly std: number;
  readonly min: number;
  readonly max: number;
}

export interface PrecisionOptions {
  readonly decays: readonly number[];
  readonly seqLens: readonly number[];
  /** Input sequences; trial i has the seed `seed` + i. */
  readonly trials: number;
  readonly seed: number;
}

/** Errors max|y - exact| / max|exact| of all schemes, with standard normal inputs. */
export function precisionRows(
  { decays, seqLens, trials, seed }: PrecisionOptions,
  maths: PrecisionMathematics = precisionMathematics,
): PrecisionRow[] {
  const inputs = Array.from({ length: trials }, (_, trial) =>
    new Generator(seed + trial).normal(Math.max(...seqLens)),
  );
  return decays.flatMap((a) => {
    const exact = inputs.map((u) => maths.exact(a, u));
    return Object.entries(precisionSchemes).flatMap(([name, formats]) => {
      const errors = inputs.map((u, i) =>
        prefixErrors(maths.rounded(a, u, formats), exact[i] as Float64Array, seqLens),
      );
      return seqLens.map((seqLen, j) => {
        const values = errors.map((ofTrial) => ofTrial[j] as number);
        const { mean, std } = summarizeValues(values);
        return {
          scheme: name as PrecisionScheme,
          a,
          T: seqLen,
          mean,
          std,
          min: Math.min(...values),
          max: Math.max(...values),
        };
      });
    });
  });
}
