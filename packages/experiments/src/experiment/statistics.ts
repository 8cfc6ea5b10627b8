/** Statistics over the seeds of an experiment. */

export interface Summary {
  readonly count: number;
  readonly mean: number;
  /** Sample standard deviation, divisor n - 1; 0 for one value. */
  readonly std: number;
  /** Half width of the 95% confidence interval of the mean, from Student's t; 0 for one value. */
  readonly ci95: number;
}

/** Two-sided 95% quantiles of Student's t for 1 to 30 degrees of freedom. */
const studentQuantiles = [
  12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306, 2.2622, 2.2281, 2.201, 2.1788, 2.1604,
  2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.093, 2.086, 2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555,
  2.0518, 2.0484, 2.0452, 2.0423,
];

/** Quantile for `freedom` degrees; above 30 two terms of Abramowitz & Stegun 26.7.5. */
export function studentQuantile95(freedom: number): number {
  const z = 1.959964;
  const z3 = z * z * z;
  const first = (z3 + z) / 4;
  const second = (5 * z3 * z * z + 16 * z3 + 3 * z) / 96;
  return studentQuantiles[freedom - 1] ?? z + first / freedom + second / (freedom * freedom);
}

/** Mean, spread and confidence interval of `values`. */
export function summarizeValues(values: readonly number[]): Summary {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  if (count < 2) return { count, mean, std: 0, ci95: 0 };
  const squares = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0);
  const std = Math.sqrt(squares / (count - 1));
  return { count, mean, std, ci95: (studentQuantile95(count - 1) * std) / Math.sqrt(count) };
}

/** A summary for every name that all of `rows` have. */
export function summarize(rows: readonly Readonly<Record<string, number>>[]): Record<string, Summary> {
  const [first = {}, ...others] = rows;
  const names = Object.keys(first).filter((name) => others.every((row) => name in row));
  return Object.fromEntries(
    names.map((name) => [name, summarizeValues(rows.map((row) => row[name] as number))]),
  );
}
