/**
 * How the times of the two forms of a diagonal SSM grow with the length: the recurrence against the product with the
 * kernel, on request with the kernel's construction. N = 4 states, inputs of width 16, decays 0.5 ... 0.8, b = c = 1.
 */
import {
  constantDiagonalSsm,
  type DiagonalSsm,
  diagonalKernel,
  type Matrix,
} from '@statespace/ssd-core/structure';
import { Generator } from '@statespace/tensor';
import { powerLawExponent } from '../../experiment/statistics.js';
import { attentionForm, recurrentForm } from './dual-forms.js';
import { outputDifference } from './equivalence.js';
import { timeCalls } from './timing.js';

/** linspace(0.5, 0.8, 4) */
export const scalingDecays: readonly number[] = [0.5, 0.6, 0.7, 0.8];
/** P, columns of the inputs. */
export const scalingWidth = 16;

/** A form of computing y (T, P) from u (T, P), both row-major. */
type Form<System> = (system: System, u: Float64Array, width: number, out: Float64Array) => void;

/** What is timed. Tests put broken mathematics in its place. */
export interface DualForms {
  readonly recurrent: Form<DiagonalSsm>;
  readonly attention: Form<Matrix>;
  readonly kernel: (ssm: DiagonalSsm) => Matrix;
  /** Largest max|y - y'| / max(1, max|y'|) that passes for equal outputs. */
  readonly tolerance: number;
}

export const dualForms: DualForms = {
  recurrent: recurrentForm,
  attention: attentionForm,
  kernel: diagonalKernel,
  tolerance: 1e-12,
};

/** Milliseconds per call at one length; names as in the logs. */
export interface ScalingRow {
  readonly T: number;
  readonly recurrence_ms: number;
  readonly attention_ms: number;
  /** Kernel construction and product; only when asked for. */
  readonly attention_end_to_end_ms?: number;
  /** attention_ms / recurrence_ms */
  readonly speedup: number;
  /** max|y - y'| / max(1, max|y'|) of the two forms. */
  readonly output_difference: number;
}

export interface ScalingOptions {
  readonly seed: number;
  readonly minSampleMs: number;
  readonly endToEnd: boolean;
  /** Samples whose mean is the time; default 1. */
  readonly repeats?: number;
}

/** Times both forms at one length, and compares their outputs. */
export function measureScaling(
  seqLen: number,
  { seed, minSampleMs, endToEnd, repeats = 1 }: ScalingOptions,
  forms: DualForms = dualForms,
): ScalingRow {
  const ssm = constantDiagonalSsm(seqLen, scalingDecays);
  const u = new Generator(seed, seqLen).normal(seqLen * scalingWidth);
  const y = new Float64Array(u.length);
  const z = new Float64Array(u.length);
  const kernel = forms.kernel(ssm);
  const time = (run: () => void): number => timeCalls(run, { minSampleMs, samples: repeats }).msPerCall;
  const recurrence = time(() => forms.recurrent(ssm, u, scalingWidth, y));
  const attention = time(() => forms.attention(kernel, u, scalingWidth, z));
  return {
    T: seqLen,
    recurrence_ms: recurrence,
    attention_ms: attention,
    ...(endToEnd
      ? { attention_end_to_end_ms: time(() => forms.attention(forms.kernel(ssm), u, scalingWidth, z)) }
      : {}),
    speedup: attention / recurrence,
    output_difference: outputDifference(z, y).relative,
  };
}

/** Fields of a row that hold times, in the order of legends. */
export const timeFields = ['recurrence_ms', 'attention_ms', 'attention_end_to_end_ms'] as const;

export type TimeField = (typeof timeFields)[number];

/** Exponents p of time ~ T^p, for each kind of time that was measured. */
export type ScalingSlopes = Readonly<Partial<Record<TimeField, number>>>;

/** Least squares on log-log; none for a single length. */
export function scalingSlopes(rows: readonly Pick<ScalingRow, 'T' | TimeField>[]): ScalingSlopes {
  const lengths = rows.map(({ T }) => T);
  if (new Set(lengths).size < 2) return {};
  const slopes: Partial<Record<TimeField, number>> = {};
  for (const field of timeFields) {
    const times = rows.flatMap((row) => row[field] ?? []);
    if (times.length === rows.length) slopes[field] = powerLawExponent(lengths, times);
  }
  return slopes;
}
