/** Curves over seeds: mean and standard deviation at every epoch, one band for each model. */
import { join } from 'node:path';
import { makeFolder } from '@statespace/tensor';
import type { TopLevelSpec } from 'vega-lite';
import { summarizeValues } from '../../experiment/statistics.js';
import { lineFigure } from '../../figures/line-figure.js';
import { type FigureFiles, writeFigure } from '../../figures/render-figure.js';
import { readRowLog } from '../../metrics/row-log.js';
import { writeJsonFile } from '../../runs/json-file.js';
import { epochTicks } from './loss-curves.js';
import { type ComparisonModel, comparisonModels } from './models.js';
import { type CurveMetric, type RunRow, runRowSchema } from './run-row.js';
import { type RowSelection, type SelectedRows, selectRows } from './select-rows.js';
import { byModel, type PairedDifference, pairedDifferences, summarizeModels } from './summary.js';

/** A model's curve over its seeds. */
export interface Band {
  readonly model: string;
  readonly seeds: readonly number[];
  readonly epochs: readonly { readonly epoch: number; readonly mean: number; readonly std: number }[];
}

const metricTitles: Readonly<Record<CurveMetric, string>> = {
  train_loss: 'training loss (nats)',
  val_loss: 'held-out loss (nats)',
  val_acc: 'held-out accuracy (%)',
};

/** Mean and sample deviation of `metric` at every epoch; losses in nats, accuracies as shares of one. */
export function varianceBands(rows: readonly RunRow[], metric: CurveMetric): Band[] {
  return [...byModel(rows)].map(([model, own]) => ({
    model,
    seeds: own.map(({ seed }) => seed),
    epochs: (own[0] as RunRow)[metric].map((_, i) => {
      const { mean, std } = summarizeValues(own.map((row) => row[metric][i] as number));
      return { epoch: i + 1, mean, std };
    }),
  }));
}

/** The bands as a figure; a model with one seed has a line without a band. */
export function varianceBandFigure(
  bands: readonly Band[],
  metric: CurveMetric,
  flags: RunRow['flags'],
): TopLevelSpec {
  const scale = metric === 'val_acc' ? 100 : 1;
  const counts = [...new Set(bands.map(({ seeds }) => seeds.length))];
  const epochs = Math.max(...bands.map((band) => band.epochs.length));
  return lineFigure({
    title: 'WikiText-2, the word after the window',
    subtitle: [
      counts.join() === '1' ? 'one seed' : `mean ± standard deviation, ${counts.join(' or ')} seeds`,
      `width ${flags.d_model}, N ${flags.n_state}, ${flags.n_layers} layers, init ${flags.init}`,
    ],
    x: { title: 'epoch', ticks: epochTicks(epochs) },
    y: { title: metricTitles[metric] },
    series: bands.map(({ model, seeds, epochs: points }) => ({
      label: bandLabel(model, bands.length),
      points: points.map(({ epoch, mean, std }) => ({
        x: epoch,
        y: scale * mean,
        ...(seeds.length > 1 ? { low: scale * (mean - std), high: scale * (mean + std) } : {}),
      })),
    })),
  });
}

/** With more than the paper's two models the names alone do not say what differs. */
function bandLabel(model: string, count: number): string {
  const known = (comparisonModels as Readonly<Record<string, ComparisonModel | undefined>>)[model];
  return known === undefined || count <= 2 ? model : `${model} (${known.label})`;
}

export interface VarianceBandOptions extends RowSelection {
  /** A `train_runs.jsonl`. */
  readonly logPath: string;
  readonly outDir: string;
  readonly metric: CurveMetric;
}

export interface VarianceBandFiles extends FigureFiles {
  /** The numbers, as JSON. */
  readonly summary: string;
  readonly bands: readonly Band[];
  readonly differences: readonly PairedDifference[];
}

/**
 * Draws the bands of a log into `outDir`, beside a JSON file with their numbers.
 * @throws {DataError} as `selectRows`. @throws {IoError} @throws {FormatError} @throws {ConfigError} for a wrong line.
 */
export async function plotVarianceBands(
  options: VarianceBandOptions,
): Promise<VarianceBandFiles & Omit<SelectedRows, 'rows'>> {
  const { rows, ...left } = selectRows(readRowLog(options.logPath, runRowSchema), options);
  return { ...(await writeVarianceBands(rows, options)), ...left };
}

/** Draws the bands of `rows`, which were trained with the same flags. @throws {IoError} */
export async function writeVarianceBands(
  rows: readonly RunRow[],
  { outDir, metric }: Pick<VarianceBandOptions, 'outDir' | 'metric'>,
): Promise<VarianceBandFiles> {
  const { flags, dataset } = rows[0] as RunRow;
  const bands = varianceBands(rows, metric);
  const differences = pairedDifferences(rows);
  const name = `${dataset}_${metric}_bands`;
  makeFolder(outDir);
  const files = await writeFigure(varianceBandFigure(bands, metric, flags), outDir, name);
  const summary = join(outDir, `${name}.json`);
  await writeJsonFile(summary, { dataset, metric, flags, bands, models: summarizeModels(rows), differences });
  return { ...files, summary, bands, differences };
}
