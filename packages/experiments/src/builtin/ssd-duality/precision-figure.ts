/** Errors of few-bit recurrences against T, by format: one figure for each decay. */
import type { TopLevelSpec } from 'vega-lite';
import { lineFigure } from '../../figures/line-figure.js';
import type { PrecisionRow } from './precision.js';
import type { PrecisionScheme } from './rounded-recurrence.js';

/** In the order of their errors; half remedies are in the tables only. */
const shown: readonly PrecisionScheme[] = ['bf16', 'f16', 'bf16, state f32', 'f16, state f32', 'f32'];

/** Mean over the trials, and a band from the least error to the largest. */
export function precisionFigure(
  rows: readonly PrecisionRow[],
  { a, trials }: { readonly a: number; readonly trials: number },
): TopLevelSpec {
  const own = rows.filter((row) => row.a === a);
  const lengths = [...new Set(own.map(({ T }) => T))];
  return lineFigure({
    title: `Rounding errors, decay a = ${a}`,
    subtitle: ['h[t] = a h[t−1] + u[t], against float64', `mean and range of ${trials} trials`],
    x: { title: 'sequence length T (steps)', scale: 'log', ticks: lengths, format: 'd' },
    // The same for every decay, so that figures can be laid side by side.
    y: { title: 'max|Δy| / max|y|', scale: 'log', range: [1e-8, 10] },
    series: shown.map((scheme) => ({
      label: scheme,
      points: own
        .filter((row) => row.scheme === scheme)
        .map(({ T, mean, min, max }) => ({ x: T, y: mean, low: min, high: max })),
    })),
  });
}
