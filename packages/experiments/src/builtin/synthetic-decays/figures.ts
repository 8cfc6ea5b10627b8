/** Figures of fitted decays: held-out error by epoch, and at the end by state size, with the least possible errors. */
import type { TopLevelSpec } from 'vega-lite';
import { type BandSeries, type GuideLine, lineFigure } from '../../figures/line-figure.js';
import type { SeriesRow } from './run-row.js';

/** Rows of one model, by state size; over seeds where there are several. */
function bySize(rows: readonly SeriesRow[]): Map<string, Map<number, SeriesRow[]>> {
  const models = new Map<string, Map<number, SeriesRow[]>>();
  for (const row of rows) {
    const sizes = models.get(row.model) ?? new Map<number, SeriesRow[]>();
    models.set(row.model, sizes.set(row.N, [...(sizes.get(row.N) ?? []), row]));
  }
  return models;
}

/** Geometric mean and range, which a log axis can show. */
function spread(x: number, errors: readonly number[]): BandSeries['points'][number] {
  const y = Math.exp(errors.reduce((sum, error) => sum + Math.log(error), 0) / errors.length);
  return errors.length < 2 ? { x, y } : { x, y, low: Math.min(...errors), high: Math.max(...errors) };
}

/** Held-out error against epochs, one line for each model and state size. */
export function errorCurves(rows: readonly SeriesRow[], { log }: { readonly log: boolean }): TopLevelSpec {
  const epochs = (rows[0] as SeriesRow).val_mse.length;
  const models = bySize(rows);
  const series = [...models].flatMap(([model, sizes]) =>
    [...sizes].map(([N, own]) => ({
      label: models.size > 1 ? `${model}, N = ${N}` : `N = ${N}`,
      points: (own[0] as SeriesRow).val_mse.map((_, i) =>
        spread(
          i + 1,
          own.map((row) => row.val_mse[i] as number),
        ),
      ),
      plain: true,
    })),
  );
  return lineFigure({
    title: 'Fitting a sum of decays',
    subtitle: subtitle(rows),
    x: { title: 'epoch' },
    y: {
      title: 'held-out mean squared error',
      scale: log ? 'log' : 'linear',
      ...(log ? { format: '.0e' } : {}),
    },
    series,
    guides: floorLines(rows, 1, epochs),
  });
}

/** Held-out error after the last epoch against state size. */
export function finalErrors(rows: readonly SeriesRow[]): TopLevelSpec {
  const ns = [...new Set(rows.map(({ N }) => N))].sort((a, b) => a - b);
  const [least, most] = [ns[0] as number, ns.at(-1) as number];
  return lineFigure({
    title: 'State size and final error',
    subtitle: subtitle(rows),
    x: { title: 'state size N', ticks: ns },
    y: { title: 'held-out mean squared error', scale: 'log', format: '.0e' },
    series: [...bySize(rows)].map(([model, sizes]) => ({
      label: model,
      points: [...sizes]
        .sort(([a], [b]) => a - b)
        .map(([N, own]) =>
          spread(
            N,
            own.map((row) => row.final_val_mse),
          ),
        ),
    })),
    guides: floorLines(rows, least, most),
  });
}

/** A line at each different floor. */
function floorLines(rows: readonly SeriesRow[], from: number, to: number): GuideLine[] {
  const floors = new Map(
    rows.flatMap(({ floor, N }) => (floor === undefined || floor === 0 ? [] : [[floor, N]])),
  );
  return [...floors].map(([y, N]) => ({
    label: N === 1 ? 'best single decay' : 'noise',
    points: [
      { x: from, y },
      { x: to, y },
    ],
  }));
}

function subtitle(rows: readonly SeriesRow[]): string[] {
  const { flags, task } = rows[0] as SeriesRow;
  const seeds = [...new Set(rows.map(({ seed }) => seed))];
  const list = (value: unknown) => (Array.isArray(value) ? value.join(', ') : String(value));
  return [
    `${task}: decays ${list(flags.lambdas)}, weights ${list(flags.coeffs)}`,
    seeds.length === 1 ? `seed ${seeds[0]}` : `geometric mean and range of ${seeds.length} seeds`,
  ];
}
