/** Figures from a log of time-series fits. */
import { DataError } from '@statespace/ssd-core';
import { makeFolder } from '@statespace/tensor';
import { type FigureFiles, writeFigure } from '../../figures/render-figure.js';
import { readRowLog } from '../../metrics/row-log.js';
import { canonicalJson } from '../../study/canonical-json.js';
import { errorCurves, finalErrors } from './figures.js';
import { type SeriesRow, seriesRowSchema } from './run-row.js';

export interface PlotRunsOptions {
  /** A `ts_runs.jsonl`. */
  readonly logPath: string;
  readonly outDir: string;
  readonly task: string;
  /** Only the fits of the last run of the experiment, instead of all seeds with its flags. */
  readonly latestOnly: boolean;
  /** A logarithmic axis for the errors by epoch. */
  readonly logValCurves: boolean;
}

export interface PlotRunsFiles {
  readonly curves: FigureFiles;
  readonly final: FigureFiles;
  /** The fits that were drawn. */
  readonly rows: readonly SeriesRow[];
  /** Fits of this task that were left out: of other flags, of earlier runs, or done again later. */
  readonly leftOut: number;
}

/**
 * Draws `<task>_val_curves` and `<task>_final_mse` into `outDir`.
 * @throws {DataError} when the log has no fit of the task. @throws {IoError} @throws {FormatError} @throws {ConfigError}
 */
export async function plotRuns(options: PlotRunsOptions): Promise<PlotRunsFiles> {
  const { logPath, outDir, task, latestOnly, logValCurves } = options;
  const log = readRowLog(logPath, seriesRowSchema);
  const ofTask = log.filter((row) => row.task === task);
  const last = ofTask.at(-1);
  if (last === undefined) {
    const tasks = [...new Set(log.map((row) => row.task))].join(', ');
    throw new DataError({ op: 'plotRuns', argument: 'task', wanted: `one of: ${tasks}`, got: task });
  }
  const flags = canonicalJson(last.flags);
  const comparable = ofTask.filter(
    (row) => canonicalJson(row.flags) === flags && (!latestOnly || row.run === last.run),
  );
  const rows = latestFits(comparable);
  makeFolder(outDir);
  return {
    curves: await writeFigure(errorCurves(rows, { log: logValCurves }), outDir, `${task}_val_curves`),
    final: await writeFigure(finalErrors(rows), outDir, `${task}_final_mse`),
    rows,
    leftOut: ofTask.length - rows.length,
  };
}

/** The same fit done twice counts once. */
function latestFits(rows: readonly SeriesRow[]): SeriesRow[] {
  return [...new Map(rows.map((row) => [`${row.model} ${row.N} ${row.seed}`, row])).values()];
}
