/** exp4b: the times of exp4 over several trials, each with inputs of its own: means with 95% confidence intervals. */
import { z } from 'zod';
import {
  analysisParams,
  breathe,
  figurePath,
  writeRunFigures,
  writeSharedFigure,
} from '../../experiment/analysis.js';
import { defineExperiment, type ExperimentContext, type ExperimentOutcome } from '../../experiment/define.js';
import { slopeFields, timingParams } from './exp4-time-scaling.js';
import { paper } from './shared-params.js';
import { dualForms, measureScaling, scalingDecays, scalingSlopes, scalingWidth } from './time-scaling.js';
import { formsAgree, timesScale } from './time-scaling-checks.js';
import { timeScalingFigure, trialSeries } from './time-scaling-figure.js';
import { meanRows, summarizeTrials, summaryTable, type TrialRow } from './time-scaling-trials.js';

const params = z.strictObject({
  ...analysisParams(),
  ...timingParams,
  trials: z
    .int()
    .min(2)
    .max(1000)
    .default(8)
    .meta({ flag: '--n-trials', description: 'Trials, each with inputs of its own' }),
  repeats: z
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .meta({ flag: '--n-repeats', description: 'Samples whose mean is the time of a trial' }),
  out: figurePath().meta({
    description:
      'Where the figure goes beside the run folder (default exp4b_time_scaling.png in the output folder)',
  }),
});

export const exp4bTimeScalingErrorbars = defineExperiment({
  name: 'exp4b-time-scaling-errorbars',
  aliases: ['exp4b', 'exp4b_time_scaling_errorbars'],
  summary: 'Times of recurrence and kernel product over trials: means with 95% confidence intervals',
  paper: `${paper}, section 4.3`,
  params,
  dtype: 'f64',
  fast: { seqLens: [100, 200, 400], trials: 3, repeats: 2, minSampleMs: 4 },
  run,
});

type Params = z.output<typeof params>;

async function run(params: Params, context: ExperimentContext): Promise<ExperimentOutcome> {
  const rows = await measureTrials(params, context);
  const summaries = summarizeTrials(rows);
  const means = meanRows(summaries);
  const slopes = scalingSlopes(means);
  const { length } = scalingDecays;
  const figure = timeScalingFigure(
    {
      title: 'Times of recurrence and kernel',
      subtitle: [
        `mean and 95% interval of ${params.trials} trials, ${params.repeats} samples each`,
        `N = ${length} states, inputs of width ${scalingWidth}`,
      ],
    },
    trialSeries(summaries),
  );
  return {
    status: 'completed',
    tolerance: dualForms.tolerance,
    details: [...formsAgree(rows, dualForms.tolerance), ...timesScale(means, slopes)],
    metadata: {
      T_values: params.seqLens,
      N: length,
      width: scalingWidth,
      decays: scalingDecays,
      n_trials: params.trials,
      n_repeats: params.repeats,
      min_sample_ms: params.minSampleMs,
      ...slopeFields('slope', slopes),
      output_difference: Math.max(...rows.map((row) => row.output_difference)),
      times: summaryTable(summaries),
      trials: rows,
      figure: await writeSharedFigure(context.run, figure, params.out, 'exp4b_time_scaling.png'),
    },
    artifacts: await writeRunFigures(context.run, { exp4b_time_scaling: figure }),
  };
}

/** Trials go through all lengths in turn, so that a slow minute of the machine is not the time of one length. */
async function measureTrials(params: Params, { signal }: ExperimentContext): Promise<TrialRow[]> {
  const rows: TrialRow[] = [];
  for (let trial = 0; trial < params.trials; trial++) {
    for (const seqLen of params.seqLens) {
      await breathe(signal);
      rows.push({ trial, ...measureScaling(seqLen, { ...params, seed: params.seed + trial }) });
    }
  }
  return rows;
}
