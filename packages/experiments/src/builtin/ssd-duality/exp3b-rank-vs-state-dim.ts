/**
 * exp3b: generator rank and semiseparable order against the number of states, over seeds. Both follow y = N until
 * float64 can no longer tell the decays apart.
 */
import { relative } from 'node:path';
import type { Generator } from '@statespace/tensor';
import type { TopLevelSpec } from 'vega-lite';
import { z } from 'zod';
import {
  analysisParams,
  breathe,
  figurePath,
  seedList,
  writeRunFigures,
  writeSharedFigure,
} from '../../experiment/analysis.js';
import { defineExperiment } from '../../experiment/define.js';
import type { Findings } from '../../experiment/result.js';
import { type Summary, summarizeValues } from '../../experiment/statistics.js';
import { type BandSeries, lineFigure } from '../../figures/line-figure.js';
import { type DualityMathematics, dualityMathematics } from './duality-mathematics.js';
import { agreement, differenceMetadata, toleranceIsStrict, worstDifference } from './equivalence.js';
import { isSaturated, ranksCheck } from './rank-check.js';
import { type KernelRanks, kernelRanks, listedGenerator } from './rank-row.js';
import { lengthParam, mostOrderLength, paper, spacedDecays, statesParam } from './shared-params.js';

const figureName = 'exp3b_rank_vs_state_dim';

export interface RankCurveParams {
  readonly dStates: readonly number[];
  readonly seqLen: number;
  readonly seeds: readonly number[];
  readonly seed: number;
}

/** All seeds of one number of states. */
export interface RankPoint {
  readonly dState: number;
  readonly ranks: readonly KernelRanks[];
}

/** Ranks for every number of states, over the seeds. */
export function* rankCurve(
  { dStates, seqLen, seeds, seed }: RankCurveParams,
  maths: DualityMathematics = dualityMathematics,
): globalThis.Generator<RankPoint, void> {
  for (const dState of dStates) {
    const ranks = seeds.map((listed) => {
      const generator = listedGenerator(listed, seed);
      return kernelRanks(seqLen, jitteredDecays(dState, generator), generator, maths);
    });
    yield { dState, ranks };
  }
}

/** Evenly spaced decays, each moved by at most a quarter of the spacing, and by 0.05. */
function jitteredDecays(dState: number, generator: Generator): number[] {
  const decays = spacedDecays(dState);
  const spacing = dState === 1 ? 1 : (decays[1] as number) - (decays[0] as number);
  const reach = Math.min(spacing / 4, 0.05);
  const shares = generator.uniform(dState);
  return decays.map((decay, n) => decay + reach * (2 * (shares[n] as number) - 1));
}

/** The claims of exp3b about the curve. */
export function rankCurveFindings(points: readonly RankPoint[], { tolerance }: DualityMathematics): Findings {
  const all = points.flatMap(({ ranks }) => ranks);
  const resolved = points.filter(({ ranks }) => !ranks.some(({ generator }) => isSaturated(generator)));
  const generator = points.map(({ ranks }) => summarizeValues(ranks.map(({ row }) => row.generator_rank)));
  const order = points.map(({ ranks }) => summarizeValues(ranks.map(({ row }) => row.ss_order)));
  const onTheLine = resolved.filter(({ dState, ranks }) =>
    ranks.every(({ row }) => row.generator_rank === Math.min(dState, row.T)),
  );
  const difference = worstDifference(all.map((found) => found.difference));
  const first = all[0] as KernelRanks;
  return {
    details: [
      {
        claim:
          'the generator rank is N for every seed, with no deviation, wherever float64 can tell the decays apart',
        passed: onTheLine.length > 0 && onTheLine.length === resolved.length,
        found: `${onTheLine.length} of ${resolved.length} N; ${points.length - resolved.length} beyond float64`,
      },
      ranksCheck(
        'the generator rank is never more than N',
        all.map((found) => found.generator),
      ),
      ranksCheck(
        'nor is the semiseparable order, which is N where float64 can tell',
        all.map((found) => found.order),
      ),
      agreement('every one of these kernels gives the outputs of its recurrence', difference, tolerance),
      toleranceIsStrict(first.outputs, tolerance),
    ],
    metadata: {
      N_values: points.map(({ dState }) => dState),
      T: first.row.T,
      seeds: (points[0] as RankPoint).ranks.map(({ row }) => row.seed),
      generator_ranks: points.map(({ ranks }) => ranks.map(({ row }) => row.generator_rank)),
      ss_orders: points.map(({ ranks }) => ranks.map(({ row }) => row.ss_order)),
      generator_rank_mean: generator.map(({ mean }) => mean),
      generator_rank_std: generator.map(({ std }) => std),
      ss_order_mean: order.map(({ mean }) => mean),
      ss_order_std: order.map(({ std }) => std),
      saturated: points.map(({ ranks }) => ranks.some(({ row }) => row.saturated)),
      ...differenceMetadata(difference),
    },
    artifacts: [],
    tolerance,
  };
}

/** Mean and standard deviation of both ranks against N, and the line y = N. */
export function rankCurveFigure(points: readonly RankPoint[]): TopLevelSpec {
  const states = points.map(({ dState }) => dState);
  const [least, most] = [Math.min(...states), Math.max(...states)];
  const curve = (label: string, of: (found: KernelRanks) => number): BandSeries => ({
    label,
    points: points.map(({ dState, ranks }) => bandPoint(dState, summarizeValues(ranks.map(of)))),
  });
  const [first] = points as readonly [RankPoint, ...RankPoint[]];
  const lost = points.find(({ ranks }) => ranks.some(({ order }) => isSaturated(order)));
  return lineFigure({
    title: 'Rank against number of states',
    subtitle: [
      `T = ${first.ranks[0]?.row.T}, mean ± std of ${first.ranks.length} seeds`,
      ...(lost === undefined ? [] : [`from N = ${lost.dState} on, states of the order lie below rounding`]),
    ],
    x: { title: 'number of states N', ticks: states },
    y: { title: 'rank' },
    series: [
      curve('generator rank', ({ row }) => row.generator_rank),
      curve('semiseparable order in float64', ({ row }) => row.ss_order),
    ],
    guides: [
      {
        label: 'y = N',
        points: [
          { x: least, y: least },
          { x: most, y: most },
        ],
      },
    ],
  });
}

function bandPoint(x: number, { mean, std }: Summary) {
  return { x, y: mean, low: mean - std, high: mean + std };
}

export const exp3bRankVsStateDim = defineExperiment({
  name: 'exp3b-rank-vs-state-dim',
  aliases: ['exp3b', 'exp3b_rank_vs_state_dim', 'exp3b_rank_vs_state_dim_plot'],
  summary: 'Generator rank and semiseparable order against the number of states, over seeds, as a figure',
  paper: `${paper}, appendix C.3`,
  dtype: 'f64',
  params: z.strictObject({
    ...analysisParams(),
    seed: z
      .int()
      .min(0)
      .default(0)
      .meta({ description: 'Which of independent sets of draws the seeds take' }),
    dStates: statesParam([1, 2, 4, 6, 8, 10, 12, 14, 16]),
    seqLen: lengthParam(64, mostOrderLength),
    seeds: seedList([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).meta({
      description: 'Seeds of the decays, b and c',
      flag: '--seeds',
    }),
    out: figurePath().meta({
      description: `Path of the figure (default ${figureName}.png in the folder of all runs)`,
      flag: '--out',
    }),
  }),
  fast: { dStates: [1, 2, 4, 8], seqLen: 32, seeds: [0, 1, 2] },
  run: async ({ out, ...params }, { run, signal }) => {
    const points: RankPoint[] = [];
    for (const point of rankCurve(params)) {
      points.push(point);
      await breathe(signal);
    }
    const { metadata, ...findings } = rankCurveFindings(points, dualityMathematics);
    const spec = rankCurveFigure(points);
    const artifacts = await writeRunFigures(run, { [figureName]: spec });
    const figure = await writeSharedFigure(run, spec, out, `${figureName}.png`);
    return {
      status: 'completed',
      ...findings,
      metadata: { ...metadata, figure },
      artifacts: [...artifacts, relative(run.directory, figure)],
    };
  },
});
