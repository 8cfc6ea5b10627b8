/** Times over several trials, each with inputs of its own: what error bars are made of. */
import { type Summary, summarizeValues } from '../../experiment/statistics.js';
import { type ScalingRow, type TimeField, timeFields } from './time-scaling.js';

/** One trial at one length. */
export interface TrialRow extends ScalingRow {
  readonly trial: number;
}

/** Times at one length, over its trials. */
export interface LengthSummary {
  readonly T: number;
  readonly times: Readonly<Partial<Record<TimeField, Summary>>>;
}

/** Means and intervals, one entry for each length in the order of the rows. */
export function summarizeTrials(rows: readonly TrialRow[]): LengthSummary[] {
  const lengths = [...new Set(rows.map(({ T }) => T))];
  return lengths.map((T) => {
    const own = rows.filter((row) => row.T === T);
    const times: Partial<Record<TimeField, Summary>> = {};
    for (const field of timeFields) {
      const values = own.flatMap((row) => row[field] ?? []);
      if (values.length > 0) times[field] = summarizeValues(values);
    }
    return { T, times };
  });
}

/** The means as rows that slopes can be taken of. */
export function meanRows(summaries: readonly LengthSummary[]) {
  return summaries.map(({ T, times }) => {
    const means = Object.fromEntries(Object.entries(times).map(([field, { mean }]) => [field, mean]));
    const row = { T, ...means } as { readonly T: number } & Pick<ScalingRow, TimeField>;
    return { ...row, speedup: row.attention_ms / row.recurrence_ms };
  });
}

/** Rows of a table: mean and half width of the 95% interval of each time. */
export function summaryTable(summaries: readonly LengthSummary[]): Record<string, number>[] {
  return summaries.map(({ T, times }) => ({
    T,
    ...Object.fromEntries(
      Object.entries(times).flatMap(([field, { mean, ci95 }]) => [
        [`${field}_mean`, mean],
        [`${field}_ci95`, ci95],
      ]),
    ),
  }));
}
