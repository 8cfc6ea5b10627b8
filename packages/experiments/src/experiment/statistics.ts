/** Statistics over the seeds of an experiment, and over sizes. */
import { ArgumentError } from '@statespace/ssd-core';
import { studentQuantile } from './student-t.js';

export interface Summary {
  readonly count: number;
  readonly mean: number;
  /** Sample standard deviation, divisor n - 1; 0 for one value. */
  readonly std: number;
  /** Half width of the 95% confidence interval of the mean, from Student's t; 0 for one value. */
  readonly ci95: number;
}

/** Mean, spread and confidence interval of `values`. */
export function summarizeValues(values: readonly number[]): Summary {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  if (count < 2) return { count, mean, std: 0, ci95: 0 };
  const squares = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0);
  const std = Math.sqrt(squares / (count - 1));
  return { count, mean, std, ci95: (studentQuantile(0.975, count - 1) * std) / Math.sqrt(count) };
}

/** A summary for every name that all of `rows` have. */
export function summarize(rows: readonly Readonly<Record<string, number>>[]): Record<string, Summary> {
  const [first = {}, ...others] = rows;
  const names = Object.keys(first).filter((name) => others.every((row) => name in row));
  return Object.fromEntries(
    names.map((name) => [name, summarizeValues(rows.map((row) => row[name] as number))]),
  );
}

/**
 * Exponent p of the power law y = c x^p that fits the points best: least squares of ln y on ln x.
 * @throws {ArgumentError} with fewer than two different x, or a value that is not positive.
 */
export function powerLawExponent(xs: readonly number[], ys: readonly number[]): number {
  const refuse = (wanted: string, got: string): never => {
    throw new ArgumentError({ op: 'powerLawExponent', argument: 'points', wanted, got });
  };
  if (xs.length !== ys.length) refuse('as many y as x', `${xs.length} x, ${ys.length} y`);
  if (new Set(xs).size < 2) refuse('at least two different x', `x = ${xs.join(', ')}`);
  const wrong = [...xs, ...ys].find((value) => !(value > 0 && value < Number.POSITIVE_INFINITY));
  if (wrong !== undefined) refuse('positive numbers', String(wrong));
  const logX = xs.map(Math.log);
  const logY = ys.map(Math.log);
  const meanX = summarizeValues(logX).mean;
  const meanY = summarizeValues(logY).mean;
  let products = 0;
  let squares = 0;
  for (const [i, x] of logX.entries()) {
    products += (x - meanX) * ((logY[i] as number) - meanY);
    squares += (x - meanX) * (x - meanX);
  }
  return products / squares;
}
