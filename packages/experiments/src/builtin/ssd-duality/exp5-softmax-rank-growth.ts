/**
 * exp5: the rank of causal softmax attention grows with T (section 5). The rank of the whole matrix is no evidence:
 * attention with equal scores has it too. That of the corner P[T/2:, :T/2] is, and an exact witness beside it.
 */
import { Generator } from '@statespace/tensor';
import { z } from 'zod';
import { analysisParams, breathe, writeRunFigures } from '../../experiment/analysis.js';
import { defineExperiment, type ExperimentContext, type ExperimentOutcome } from '../../experiment/define.js';
import { approximationCurves, curveSummary } from './low-rank.js';
import { lengthsParam, paper } from './shared-params.js';
import { exactWitness, softmaxChecks } from './softmax-checks.js';
import { lowRankFigure, rankGrowthFigure } from './softmax-figures.js';
import { type AttentionRanks, attentionRanks, softmaxMathematics, summarizeRanks } from './softmax-rank.js';

/** Longer, keys of width 3 make corners whose singular values fade below float64 (rank 0.81 T/2 at T = 1024). */
const longestAttention = 640;
/** A shorter corner is too small for 16 states to be few. */
const shortestApproximated = 80;
/** Of the approximation curves, beside the width asked for: narrow keys make smooth kernels. */
const narrowKeys = [1, 2, 4];

/** `--T-values` and `--d-k` of both experiments on softmax. */
export function softmaxParams(seqLens: readonly number[]) {
  return {
    seqLens: lengthsParam(seqLens, longestAttention),
    dK: z
      .int()
      .min(1)
      .max(4096)
      .default(16)
      .meta({ flag: '--d-k', description: 'Width d_k of queries and keys' }),
  };
}

const params = z.strictObject({ ...analysisParams(), ...softmaxParams([80, 160, 320]) });

export const exp5SoftmaxRankGrowth = defineExperiment({
  name: 'exp5-softmax-rank-growth',
  aliases: ['exp5', 'exp5_softmax_rank_growth'],
  summary:
    'The corner of softmax attention has a rank that grows with T; an exact witness and low-rank errors',
  paper: `${paper}, section 5`,
  params,
  dtype: 'f64',
  fast: { seqLens: [40, 80, 160] },
  run,
});

type Params = z.output<typeof params>;

async function run({ seqLens, dK, seed }: Params, context: ExperimentContext): Promise<ExperimentOutcome> {
  const ranks: AttentionRanks[] = [];
  for (const seqLen of seqLens) {
    await breathe(context.signal);
    ranks.push(attentionRanks(seqLen, dK, new Generator(seed)));
  }
  await breathe(context.signal);
  const approximated = Math.max(shortestApproximated, ...seqLens);
  const keyWidths = [...new Set([...narrowKeys, dK])].sort((a, b) => a - b);
  const curves = approximationCurves(approximated, keyWidths, seed);
  const witness = exactWitness();
  const rows = ranks.map(({ row }) => row);
  const artifacts = await writeRunFigures(context.run, {
    exp5_softmax_rank_growth: rankGrowthFigure(summarizeRanks(rows), [`keys of width ${dK}, float64`]),
    exp5_low_rank_approximation: lowRankFigure(curves, [
      `P[T/2:, :T/2] and M[T/2:, :T/2], T = ${approximated}`,
    ]),
  });
  return {
    status: 'completed',
    tolerance: 1e-12,
    details: [...softmaxChecks(ranks, curves, { dK, seed }, softmaxMathematics), ...witness.checks],
    metadata: {
      T_values: seqLens,
      d_k: dK,
      ranks: rows,
      low_rank_T: approximated,
      low_rank: curves.map(curveSummary),
      ...witness.metadata,
    },
    artifacts,
  };
}
