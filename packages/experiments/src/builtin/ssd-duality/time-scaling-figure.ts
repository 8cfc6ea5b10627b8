/** Times against T on two logarithmic axes, with lines as T and T^2 grow to compare with. */
import type { TopLevelSpec } from 'vega-lite';
import { type BandPoint, type BandSeries, type GuideLine, lineFigure } from '../../figures/line-figure.js';
import type { FigureTitle } from '../../figures/theme.js';
import type { NativeFormName, NativeRow } from './native-scaling.js';
import { type ScalingRow, type TimeField, timeFields } from './time-scaling.js';
import type { LengthSummary } from './time-scaling-trials.js';

const labels = {
  recurrence_ms: 'recurrence, TypeScript',
  attention_ms: 'kernel × U, TypeScript',
  attention_end_to_end_ms: 'kernel made and × U, TypeScript',
} as const satisfies Record<TimeField, string>;

/** Times of the TypeScript forms, one point for each length. */
export function scalingSeries(rows: readonly ScalingRow[]): BandSeries[] {
  return seriesOf((field) =>
    rows.flatMap((row) => row[field] ?? []).map((y, i) => ({ x: (rows[i] as ScalingRow).T, y })),
  );
}

/** Means over trials, with their 95% intervals as bands. */
export function trialSeries(summaries: readonly LengthSummary[]): BandSeries[] {
  return seriesOf((field) =>
    summaries.flatMap(({ T, times }) => {
      const time = times[field];
      if (time === undefined) return [];
      const { mean, ci95 } = time;
      // A logarithmic axis has no place for an interval that reaches zero.
      return [{ x: T, y: mean, low: Math.max(mean - ci95, mean / 10), high: mean + ci95 }];
    }),
  );
}

function seriesOf(pointsOf: (field: TimeField) => BandPoint[]): BandSeries[] {
  return timeFields
    .map((field) => ({ label: labels[field], points: pointsOf(field) }))
    .filter(({ points }) => points.length > 0);
}

/** The figure has room for four beside the TypeScript forms. */
const nativeLabels = {
  selectiveScan: 'recurrence, selectiveScan',
  ssdChunkScan: 'sum of heads, ssdChunkScan',
  diagonalSsd: 'all decays at once, diagonalSsd',
  'kernel product': 'kernel × U, native',
} as const satisfies Partial<Record<NativeFormName, string>>;

/** Times of the native forms. */
export function nativeSeries(rows: readonly NativeRow[]): BandSeries[] {
  return Object.entries(nativeLabels)
    .map(([form, label]) => ({
      label,
      points: rows.filter((row) => row.form === form).map(({ T, ms }) => ({ x: T, y: ms })),
    }))
    .filter(({ points }) => points.length > 0);
}

/** The figure of exp4 and exp4b; guides go through the first point of the recurrence and of the kernel product. */
export function timeScalingFigure(title: FigureTitle, series: readonly BandSeries[]): TopLevelSpec {
  const lengths = [...new Set(series.flatMap(({ points }) => points.map(({ x }) => x)))].sort(
    (a, b) => a - b,
  );
  return lineFigure({
    ...title,
    x: { title: 'sequence length T (steps)', scale: 'log', ticks: ticksOf(lengths), format: 'd' },
    y: { title: 'time per call (ms)', scale: 'log' },
    series,
    guides: [...slopeGuide('∝ T', 1, series[0]), ...slopeGuide('∝ T²', 2, series[1])],
  });
}

function slopeGuide(label: string, slope: number, series: BandSeries | undefined): GuideLine[] {
  const [first, last] = [series?.points[0], series?.points.at(-1)];
  if (first === undefined || last === undefined || first.x === last.x) return [];
  // Half as high, so that it does not lie under the line it is compared with.
  const at = (x: number) => ({ x, y: 0.5 * first.y * (x / first.x) ** slope });
  return [{ label, points: [at(first.x), at(last.x)] }];
}

/** The lengths themselves where they are few and close, else powers of four. */
function ticksOf(lengths: readonly number[]): number[] {
  const [least, most] = [Math.min(...lengths), Math.max(...lengths)];
  if (most <= 32 * least) return spaced(lengths);
  return Array.from({ length: 12 }, (_, power) => 4 ** (power + 1)).filter(
    (tick) => tick >= least / 1.1 && tick <= 1.1 * most,
  );
}

/** Those a factor of 1.8 apart: closer labels would run into each other. */
function spaced(lengths: readonly number[]): number[] {
  const kept: number[] = [];
  for (const length of lengths) {
    const previous = kept.at(-1);
    if (previous === undefined || length >= 1.8 * previous) kept.push(length);
  }
  return kept;
}
