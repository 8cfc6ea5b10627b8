/** exp5b: the ranks of exp5 over seeds: mean and standard deviation against T. */
import { z } from 'zod';
import {
  analysisParams,
  breathe,
  figurePath,
  seedList,
  writeRunFigures,
  writeSharedFigure,
} from '../../experiment/analysis.js';
import { defineExperiment, type ExperimentContext, type ExperimentOutcome } from '../../experiment/define.js';
import { softmaxParams } from './exp5-softmax-rank-growth.js';
import { listedGenerator } from './rank-row.js';
import { paper } from './shared-params.js';
import { attentionIsCausal, cornerRankGrows, kernelRankNearFull } from './softmax-checks.js';
import { rankGapFigure, rankGrowthFigure } from './softmax-figures.js';
import { type AttentionRanks, attentionRanks, summarizeRanks } from './softmax-rank.js';

const growthName = 'exp5b_rank_growth';
const gapName = 'exp5b_rank_growth_gap';

const params = z.strictObject({
  ...analysisParams(),
  seed: z.int().min(0).default(0).meta({ description: 'Which of independent sets of draws the seeds take' }),
  ...softmaxParams([20, 40, 80, 160, 320]),
  seeds: seedList([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).meta({
    description: 'Seeds of queries and keys',
    flag: '--seeds',
  }),
  out: figurePath().meta({
    description: `Path of the figure of ranks (default ${growthName}.png in the folder of all runs)`,
    flag: '--out',
  }),
  gapOut: figurePath().meta({
    description: `Path of the figure of T - rank (default ${gapName}.png in the folder of all runs)`,
    flag: '--gap-out',
  }),
});

export const exp5bRankGrowth = defineExperiment({
  name: 'exp5b-rank-growth',
  aliases: ['exp5b', 'exp5b_rank_growth', 'exp5b_softmax_rank_growth_plot'],
  summary: 'Ranks of softmax attention against T over seeds, as figures',
  paper: `${paper}, section 5`,
  params,
  dtype: 'f64',
  fast: { seqLens: [20, 40, 80, 160], seeds: [0, 1, 2] },
  run,
});

type Params = z.output<typeof params>;

async function run(params: Params, context: ExperimentContext): Promise<ExperimentOutcome> {
  const { seqLens, seeds, dK } = params;
  const ranks: AttentionRanks[] = [];
  for (const seqLen of seqLens) {
    for (const listed of seeds) {
      await breathe(context.signal);
      ranks.push(attentionRanks(seqLen, dK, listedGenerator(listed, params.seed)));
    }
  }
  const rows = ranks.map(({ row }) => row);
  const summaries = summarizeRanks(rows);
  const subtitle = [`keys of width ${dK}, float64, mean ± std of ${seeds.length} seeds`];
  const figures = {
    [growthName]: rankGrowthFigure(summaries, subtitle),
    [gapName]: rankGapFigure(summaries, subtitle),
  };
  return {
    status: 'completed',
    details: [
      attentionIsCausal(ranks.map(({ attention }) => attention)),
      ...cornerRankGrows(rows),
      kernelRankNearFull(rows),
    ],
    metadata: {
      T_values: seqLens,
      d_k: dK,
      seeds,
      summary: summaries.map(({ T, kernel_rank, corner_rank, gap }) => ({
        T,
        kernel_rank_mean: kernel_rank.mean,
        kernel_rank_std: kernel_rank.std,
        corner_rank_mean: corner_rank.mean,
        corner_rank_std: corner_rank.std,
        gap_mean: gap.mean,
        gap_std: gap.std,
      })),
      ranks: rows,
      figure: await writeSharedFigure(context.run, figures[growthName], params.out, `${growthName}.png`),
      gap_figure: await writeSharedFigure(context.run, figures[gapName], params.gapOut, `${gapName}.png`),
    },
    artifacts: await writeRunFigures(context.run, figures),
  };
}
