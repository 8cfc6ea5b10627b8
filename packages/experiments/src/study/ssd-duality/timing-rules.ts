/** Rules for the stored numbers of exp4 and exp4b: outputs agree, slopes are those of the times, and lie in their bands. */
import { z } from 'zod';
import { linearBand, quadraticBand } from '../../builtin/ssd-duality/time-scaling-checks.js';
import { powerLawExponent, type Summary, summarizeValues } from '../../experiment/statistics.js';
import { atMost, claimRule, equals, type RuleBreach, recomputed, within } from '../check-logs/claim-rules.js';

const milliseconds = z.number().positive();

const scalingRow = z.looseObject({
  T: z.int().min(1),
  recurrence_ms: milliseconds,
  attention_ms: milliseconds,
  attention_end_to_end_ms: milliseconds.optional(),
  speedup: z.number(),
  output_difference: z.number(),
});
const nativeRow = z.looseObject({
  form: z.string(),
  T: z.int().min(1),
  ms: milliseconds,
  output_difference: z.number(),
});
const slope = z.number().optional();

const float64Tolerance = 1e-12;
/** Of the native forms, which compute in float32. */
const float32Tolerance = 3e-6;

type ScalingRow = z.output<typeof scalingRow>;
type NativeRow = z.output<typeof nativeRow>;

const timeFields = ['recurrence_ms', 'attention_ms', 'attention_end_to_end_ms'] as const;
const slopeFields = ['slope_recurrence', 'slope_attention', 'slope_attention_end_to_end'] as const;
const bands = [linearBand, quadraticBand, quadraticBand] as const;

const slopes = { slope_recurrence: slope, slope_attention: slope, slope_attention_end_to_end: slope };

/** Exponent of `ms` over the lengths; undefined where there is one length, or no time at one of them. */
function exponent(
  rows: readonly { readonly T: number; readonly ms: number | undefined }[],
): number | undefined {
  const times = rows.map(({ ms }) => ms).filter((ms) => ms !== undefined);
  const lengths = rows.map(({ T }) => T);
  return new Set(lengths).size < 2 || times.length < lengths.length
    ? undefined
    : powerLawExponent(lengths, times);
}

/** Stored slopes are those of `times`, and lie in their bands. */
function slopesHold(
  meta: Readonly<Partial<Record<(typeof slopeFields)[number], number | undefined>>>,
  times: readonly ({ readonly T: number } & Readonly<
    Partial<Record<(typeof timeFields)[number], number | undefined>>
  >)[],
): (RuleBreach | false)[] {
  return slopeFields.flatMap((field, i) => {
    const found = exponent(times.map((row) => ({ T: row.T, ms: row[timeFields[i] as 'attention_ms'] })));
    return [
      recomputed(field, meta[field], found),
      timed(within(field, meta[field], bands[i] as readonly [number, number])),
    ];
  });
}

function timed(breach: RuleBreach | false): RuleBreach | false {
  return breach !== false && { ...breach, timing: true };
}

/** Outputs agree in every row, and the stored worst is theirs. */
function outputsAgree(name: string, rows: readonly ScalingRow[], worst: number): (RuleBreach | false)[] {
  return [
    ...rows.map((row, i) =>
      atMost(`${name}[${i}].output_difference`, row.output_difference, float64Tolerance),
    ),
    recomputed('output_difference', worst, Math.max(...rows.map((row) => row.output_difference))),
    ...rows.map((row, i) =>
      recomputed(`${name}[${i}].speedup`, row.speedup, row.attention_ms / row.recurrence_ms),
    ),
  ];
}

/** The recurrence is ahead by more the longer the sequence. */
function rises(
  field: (index: number) => string,
  rows: readonly { readonly T: number; readonly speedup: number }[],
) {
  const byLength = rows.map((row, i) => ({ ...row, i })).sort((p, q) => p.T - q.T);
  return byLength.map(({ i, speedup }, position): RuleBreach | false => {
    const before = byLength[position - 1];
    if (before === undefined || speedup > before.speedup) return false;
    const message = `expected a ratio above the ${before.speedup.toPrecision(4)} at T = ${before.T}, got ${speedup.toPrecision(4)}`;
    return { field: field(i), message, timing: true };
  });
}

export const exp4Rule = claimRule(
  z.looseObject({
    ...slopes,
    times: z.array(scalingRow).min(1),
    output_difference: z.number(),
    native_times: z.array(nativeRow).optional(),
  }),
  (meta) => {
    const { times, native_times: native = [] } = meta;
    return [
      ...outputsAgree('times', times, meta.output_difference),
      ...slopesHold(meta, times),
      ...rises((i) => `times[${i}].speedup`, times),
      ...native.map((row, i) =>
        atMost(`native_times[${i}].output_difference`, row.output_difference, float32Tolerance),
      ),
      ...nativeSlopes(meta, native),
    ];
  },
);

function nativeSlopes(
  meta: Readonly<Record<string, unknown>>,
  rows: readonly NativeRow[],
): (RuleBreach | false)[] {
  return [...new Set(rows.map(({ form }) => form))].map((form) => {
    const field = `native_slope_${form.replaceAll(' ', '_')}`;
    const stored = meta[field];
    const found = exponent(rows.filter((row) => row.form === form));
    return recomputed(field, typeof stored === 'number' ? stored : undefined, found);
  });
}

export const exp4bRule = claimRule(
  z.looseObject({
    ...slopes,
    trials: z.array(scalingRow.extend({ trial: z.int() })).min(1),
    n_trials: z.int(),
    times: z.array(z.looseObject({ T: z.int() })).min(1),
    output_difference: z.number(),
  }),
  (meta) => {
    const means = meta.times.map(({ T }) => {
      const own = meta.trials.filter((row) => row.T === T);
      const ofField = timeFields.map((field) => {
        const values = own.flatMap((row) => row[field] ?? []);
        return [field, values.length === 0 ? undefined : summarizeValues(values)] as const;
      });
      return { T, count: own.length, ...Object.fromEntries(ofField) } as MeanRow;
    });
    const meanTimes = means.map((row) => ({
      T: row.T,
      ...Object.fromEntries(timeFields.map((field) => [field, row[field]?.mean])),
    }));
    return [
      ...outputsAgree('trials', meta.trials, meta.output_difference),
      ...means.map(({ count }, i) => equals(`times[${i}]`, count, meta.n_trials)),
      ...means.flatMap((row, i) =>
        timeFields.flatMap((field) => storedMeans(`times[${i}]`, meta.times[i], field, row[field])),
      ),
      ...slopesHold(meta, meanTimes),
      ...rises(
        (i) => `times[${i}].attention_ms_mean`,
        means.map((row) => ({
          T: row.T,
          speedup: (row.attention_ms?.mean ?? 0) / (row.recurrence_ms?.mean ?? 1),
        })),
      ),
    ];
  },
);

type MeanRow = { readonly T: number; readonly count: number } & Readonly<
  Partial<Record<(typeof timeFields)[number], Summary | undefined>>
>;

/** Mean and half width of the interval are those of the trials. */
function storedMeans(
  path: string,
  stored: Readonly<Record<string, unknown>> | undefined,
  field: string,
  found: Summary | undefined,
): (RuleBreach | false)[] {
  return (['mean', 'ci95'] as const).map((name) => {
    const value = stored?.[`${field}_${name}`];
    return recomputed(
      `${path}.${field}_${name}`,
      typeof value === 'number' ? value : undefined,
      found?.[name],
    );
  });
}
