/**
 * What the timing experiments claim. That the forms agree is a fact, and fails the experiment; how long they took is a
 * measurement on whatever else the machine was doing, and is reported only.
 */

import type { Check } from '../../experiment/result.js';
import { powerLawExponent } from '../../experiment/statistics.js';
import { toleranceIsStrict } from './equivalence.js';
import { linearForms, type NativeRow } from './native-scaling.js';
import { type ScalingRow, type ScalingSlopes, type TimeField, timeFields } from './time-scaling.js';

/** Bands of the exponents: wide enough for caches and a busy machine, and apart from each other. */
export const linearBand = [0.8, 1.2] as const;
export const quadraticBand = [1.7, 2.4] as const;

/** Both float64 forms compute the same function, to a tolerance that means something. */
export function formsAgree(rows: readonly ScalingRow[], tolerance: number): Check[] {
  const worst = Math.max(...rows.map((row) => row.output_difference));
  return [
    {
      claim: `recurrence and kernel product give the same outputs to ${tolerance} at every T`,
      passed: worst <= tolerance,
      found: worst.toExponential(1),
    },
    toleranceIsStrict(Float64Array.of(1), tolerance),
  ];
}

/** The native forms compute it too, with the roundings of float32. */
export function nativeFormsAgree(rows: readonly NativeRow[]): Check {
  const worst = Math.max(...rows.map((row) => row.output_difference));
  return {
    // The float32 tolerance of the selective scan; the sums are short, for decays of at most 0.8.
    claim: 'the native float32 forms give the float64 outputs to 3e-6 at every T',
    passed: worst <= 3e-6,
    found: worst.toExponential(1),
  };
}

const expected = {
  recurrence_ms: { subject: 'the time of the recurrence', band: linearBand },
  attention_ms: { subject: 'the time of the kernel product', band: quadraticBand },
  attention_end_to_end_ms: { subject: 'the time of kernel construction and product', band: quadraticBand },
} as const satisfies Record<TimeField, unknown>;

/** Exponents of times in their bands, and a ratio that rises; none of it for a single length. */
export function timesScale(
  rows: readonly Pick<ScalingRow, 'T' | 'speedup'>[],
  slopes: ScalingSlopes,
): Check[] {
  if (rows.length < 2) return [];
  const speedups = [...rows].sort((p, q) => p.T - q.T).map((row) => row.speedup);
  return [
    ...timeFields.flatMap((field) => {
      const slope = slopes[field];
      const { subject, band } = expected[field];
      return slope === undefined ? [] : [slopeIn(subject, slope, band)];
    }),
    {
      claim: 'the recurrence is ahead by more the longer the sequence',
      passed: speedups.every((speedup, i) => i === 0 || speedup > (speedups[i - 1] as number)),
      found: `${speedups.map((speedup) => speedup.toPrecision(3)).join(', ')} times faster`,
      advisory: true,
    },
  ];
}

/** Exponents of the native times, per form. Forms timed at one length have none. */
export function nativeSlopes(rows: readonly NativeRow[]): Partial<Record<NativeRow['form'], number>> {
  const slopes: Partial<Record<NativeRow['form'], number>> = {};
  for (const form of new Set(rows.map((row) => row.form))) {
    const own = rows.filter((row) => row.form === form);
    if (new Set(own.map(({ T }) => T)).size < 2) continue;
    slopes[form] = powerLawExponent(
      own.map(({ T }) => T),
      own.map(({ ms }) => ms),
    );
  }
  return slopes;
}

/** No native recurrence grows faster than linearly; small sizes, where calls cost more than steps, may grow slower. */
export function nativeTimesScale(slopes: ReturnType<typeof nativeSlopes>): Check[] {
  return linearForms.flatMap((form) => {
    const slope = slopes[form];
    return slope === undefined ? [] : [slopeIn(`the time of ${form}`, slope, [0.5, linearBand[1]])];
  });
}

function slopeIn(subject: string, slope: number, [least, most]: readonly [number, number]): Check {
  return {
    claim: `${subject} grows as T^p with p from ${least} to ${most}`,
    passed: slope >= least && slope <= most,
    found: `p = ${slope.toFixed(3)}`,
    advisory: true,
  };
}
