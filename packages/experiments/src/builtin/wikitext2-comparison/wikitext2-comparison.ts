/** Mamba against Mamba without selection on WikiText-2, over seeds (Hu et al. 2025, arXiv:2510.04944, Table 1). */
import { dirname, join, relative, resolve } from 'node:path';
import { AbortedError } from '@statespace/ssd-core';
import { getNumThreads } from '@statespace/tensor';
import { defineExperiment, type ExperimentContext, type ExperimentOutcome } from '../../experiment/define.js';
import { writeFigureFile } from '../../figures/render-figure.js';
import { RowLog } from '../../metrics/row-log.js';
import type { EpochResult, EpochTraining } from '../../train/epochs/train-epochs.js';
import { trainMany } from '../../train/epochs/train-many.js';
import { comparisonChecks, paperResults } from './checks.js';
import { lossCurves, lossCurvesFile } from './loss-curves.js';
import { comparisonModels, type ModelName } from './models.js';
import {
  type ComparisonParams,
  checkComparison,
  chosenModels,
  comparisonParams,
  trainingConfig,
  trainingFlags,
} from './params.js';
import {
  comparisonFolder,
  datasetName,
  type RunRow,
  runRow,
  runRowSchema,
  sameFlags,
  trainRunsFile,
} from './run-row.js';
import { type ModelSummary, summarizeModels } from './summary.js';
import { writeVarianceBands } from './variance-bands.js';

export const wikitext2Comparison = defineExperiment({
  name: 'wikitext2-comparison',
  aliases: ['wikitext2_comparison', 'wikitext2-duality'],
  summary: 'Mamba with and without selection on the last position of WikiText-2 windows, over seeds',
  paper: 'Hu et al. 2025, On Structured State-Space Duality, arXiv:2510.04944, Table 1',
  params: comparisonParams,
  check: checkComparison,
  run: compare,
});

type Job = readonly [model: ModelName, seed: number];

async function compare(params: ComparisonParams, context: ExperimentContext): Promise<ExperimentOutcome> {
  const { run } = context;
  const folder =
    params.plotDir === undefined
      ? join(dirname(dirname(run.directory)), comparisonFolder)
      : resolve(params.plotDir);
  const logPath = join(folder, trainRunsFile);
  const log = await RowLog.open(logPath, runRowSchema);
  try {
    const models = chosenModels(params);
    const jobs = params.seeds.flatMap((seed) => models.map((model): Job => [model, seed]));
    const begin = performance.now();
    const trained = await trainMissing(params, jobs, log, folder, context);
    const seconds = (performance.now() - begin) / 1000;
    const rows = jobs.map(([model, seed]) => finished(log.rows, params, model, seed) as RunRow);
    const bands = await writeVarianceBands(rows, { outDir: run.figureDirectory(), metric: 'val_loss' });
    const { differences } = bands;
    const summaries = summarizeModels(rows);
    return {
      status: 'completed',
      details: comparisonChecks(rows, differences),
      metadata: {
        log: relative(process.cwd(), logPath),
        ...Object.fromEntries(summaries.map((summary) => [summary.model, headline(summary)])),
        models: summaries.map((summary) => ({
          ...summary,
          about: comparisonModels[summary.model as ModelName].label,
        })),
        differences,
        paper: [paperResults],
        trainings: { now: trained, before: jobs.length - trained, seconds },
      },
      artifacts: [bands.png, bands.svg, bands.pdf, bands.summary].map((path) =>
        relative(run.directory, path),
      ),
    };
  } finally {
    log.close();
  }
}

/** The few numbers of a model that stand for the rest: means over seeds of the best epoch, and their deviations. */
function headline({ bestLoss, bestAccuracy, seconds }: ModelSummary) {
  return {
    val_loss: bestLoss.mean,
    val_loss_std: bestLoss.std,
    val_acc: bestAccuracy.mean,
    val_acc_std: bestAccuracy.std,
    seconds: seconds.mean,
  };
}

/** Trains what the log has not yet, and logs each training as it ends; how many there were. */
async function trainMissing(
  params: ComparisonParams,
  jobs: readonly Job[],
  log: RowLog<typeof runRowSchema>,
  folder: string,
  { device, signal, report }: ExperimentContext,
): Promise<number> {
  const missing = jobs.filter(([model, seed]) => finished(log.rows, params, model, seed) === undefined);
  const note = (text: string, passing = false): void => report({ type: 'note', text, passing });
  if (missing.length < jobs.length) {
    note(
      `${jobs.length - missing.length} of ${jobs.length} trainings are in ${relative(process.cwd(), log.path)}`,
    );
  }
  const begin = performance.now();
  let done = 0;
  const jobAt = (index: number): Job => missing[index] as Job;
  await trainMany(
    missing.map(([model, seed]) => trainingConfig(params, model, seed)),
    {
      device,
      threads: device === 'cpu' ? getNumThreads() : 1,
      signal,
      onEpoch: (index, result) => note(epochText(...jobAt(index), result, params.epochs), true),
      onDone: async (index, training: EpochTraining) => {
        const row = runRow(params, ...jobAt(index), training);
        log.append(row);
        done += 1;
        const left = (((performance.now() - begin) / 1000) * (missing.length - done)) / done;
        note(`${doneText(row)}; ${done} of ${missing.length}, about ${Math.ceil(left / 60)} min left`);
        if (params.savePlots) await writeFigureFile(lossCurves(row), join(folder, lossCurvesFile(row)));
      },
    },
  ).catch((error: unknown) => {
    if (!signal.aborted) throw error;
    const kept = `${jobs.length - missing.length + done} of ${jobs.length} trainings`;
    throw new AbortedError({
      op: 'wikitext2-comparison',
      got: 'an interruption',
      hint: `${kept} are in ${relative(process.cwd(), log.path)}, and the same command goes on with the others`,
      cause: error,
    });
  });
  return missing.length;
}

/** The latest line of a training with these parameters. */
function finished(
  rows: readonly RunRow[],
  params: ComparisonParams,
  model: ModelName,
  seed: number,
): RunRow | undefined {
  const flags = trainingFlags(params);
  return rows.findLast(
    (row) =>
      row.model === model && row.seed === seed && row.dataset === datasetName && sameFlags(row.flags, flags),
  );
}

function epochText(
  model: ModelName,
  seed: number,
  { epoch, ...result }: EpochResult,
  epochs: number,
): string {
  const losses = `train ${result.trainLoss.toFixed(3)}, held out ${result.heldOutLoss.toFixed(3)}`;
  return `${model} seed ${seed} epoch ${epoch}/${epochs}: ${losses}`;
}

function doneText(row: RunRow): string {
  const accuracy = `${(100 * row.best_val_acc).toFixed(1)}%`;
  const best = `best held-out loss ${row.best_val_loss.toFixed(4)}, accuracy ${accuracy}, epoch ${row.best_epoch}`;
  return `${row.model} seed ${row.seed}: ${best}, ${row.seconds.toFixed(1)} s`;
}
