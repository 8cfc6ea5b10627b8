/** How many states a sum of decays needs: linear models with N states fit it (Hu et al. 2025, arXiv:2510.04944, C.7). */
import { dirname, join, relative } from 'node:path';
import { writeRunFigures } from '../../experiment/analysis.js';
import { defineExperiment, type ExperimentContext, type ExperimentOutcome } from '../../experiment/define.js';
import { RowLog } from '../../metrics/row-log.js';
import { decayChecks } from './checks.js';
import { errorCurves, finalErrors } from './figures.js';
import { bestSingleDecay, floorFor, signalVariance } from './floors.js';
import { checkDecays, type DecayParams, decayParams } from './params.js';
import { type SeriesRow, seriesFolder, seriesRow, seriesRowSchema, seriesRunsFile } from './run-row.js';
import { seriesData, trainSeries } from './train-series.js';

export const expSyntheticNdecay = defineExperiment({
  name: 'exp-synthetic-ndecay',
  aliases: ['exp_synthetic_ndecay'],
  summary: 'A sum of two decays is out of reach of one state, and found exactly by two',
  paper: 'Hu et al. 2025, On Structured State-Space Duality, arXiv:2510.04944, appendix C.7',
  params: decayParams,
  check: checkDecays,
  run: fitDecays,
});

async function fitDecays(params: DecayParams, context: ExperimentContext): Promise<ExperimentOutcome> {
  const { run } = context;
  const logPath = join(dirname(dirname(run.directory)), seriesFolder, seriesRunsFile);
  const rows = await fitAll(params, context, logPath);
  const single = bestSingleDecay(params);
  return {
    status: 'completed',
    details: decayChecks(rows, params),
    metadata: {
      log: relative(process.cwd(), logPath),
      signal_variance: signalVariance(params),
      best_single_decay: single,
      noise_floor: params.noiseStd * params.noiseStd,
      fits: rows.map(({ model, N, parameters, final_val_mse, floor, decays, gains, seconds }) => ({
        ...{ model, N, parameters, final_val_mse, floor, decays, gains, seconds },
      })),
    },
    artifacts: await writeRunFigures(run, {
      val_curves: errorCurves(rows, { log: true }),
      final_mse: finalErrors(rows),
    }),
  };
}

async function fitAll(
  params: DecayParams,
  context: ExperimentContext,
  logPath: string,
): Promise<SeriesRow[]> {
  const { run, report } = context;
  const data = seriesData(params);
  const rows: SeriesRow[] = [];
  for (const model of params.models) {
    for (const states of params.nValues) {
      const training = await trainSeries(model, states, params, data, context);
      const row = seriesRow(params, { run: run.id, model, states }, floorFor(states, params), training);
      const { final_val_mse: error, seconds } = row;
      report({
        type: 'note',
        text: `${model} N=${states}: held-out error ${error.toExponential(3)}, ${seconds.toFixed(1)} s`,
        passing: false,
      });
      rows.push(row);
    }
  }
  // The log is open only for the moment of writing: several runs may go on at once.
  const log = await RowLog.open(logPath, seriesRowSchema);
  try {
    for (const row of rows) log.append(row);
  } finally {
    log.close();
  }
  return rows;
}
