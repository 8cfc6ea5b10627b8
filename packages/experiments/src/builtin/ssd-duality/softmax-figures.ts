/** Figures of exp5 and exp5b: ranks of softmax attention against T, and errors of low-rank approximations. */
import type { TopLevelSpec } from 'vega-lite';
import { type BandPoint, type BandSeries, type GuideLine, lineFigure } from '../../figures/line-figure.js';
import type { ApproximationCurve } from './low-rank.js';
import type { RankSummary } from './softmax-rank.js';

type RankField = 'kernel_rank' | 'corner_rank' | 'gap';

/** Ranks of the whole of P and of its corner against T, with the most that each can be. */
export function rankGrowthFigure(
  summaries: readonly RankSummary[],
  subtitle: readonly string[],
): TopLevelSpec {
  const lengths = summaries.map(({ T }) => T);
  return lineFigure({
    title: 'Rank of causal softmax attention',
    subtitle,
    x: { title: 'sequence length T (steps)', ticks: spacedTicks(lengths), format: 'd' },
    y: { title: 'numerical rank' },
    series: [
      rankSeries('all of P', summaries, 'kernel_rank'),
      rankSeries('corner P[T/2:, :T/2]', summaries, 'corner_rank'),
    ],
    guides: [guide('T', lengths, (T) => T), guide('T/2', lengths, (T) => T / 2)],
  });
}

/** What float64 does not see of the rank of P. */
export function rankGapFigure(summaries: readonly RankSummary[], subtitle: readonly string[]): TopLevelSpec {
  const lengths = summaries.map(({ T }) => T);
  return lineFigure({
    title: 'What float64 misses of the rank',
    subtitle,
    x: { title: 'sequence length T (steps)', ticks: spacedTicks(lengths), format: 'd' },
    y: { title: 'T − rank of P' },
    series: [rankSeries('gap', summaries, 'gap')],
  });
}

function rankSeries(label: string, summaries: readonly RankSummary[], field: RankField): BandSeries {
  const points = summaries.map((summary): BandPoint => {
    const { count, mean, std } = summary[field];
    return { x: summary.T, y: mean, ...(count > 1 ? { low: mean - std, high: mean + std } : {}) };
  });
  return { label, points };
}

function guide(label: string, lengths: readonly number[], rank: (T: number) => number): GuideLine {
  const ends = [Math.min(...lengths), Math.max(...lengths)];
  return { label, points: ends.map((x) => ({ x, y: rank(x) })) };
}

/** Below this an error is rounding, and its exact height says nothing. */
const roundingFloor = 1e-17;
/** Close around the 16 states of the SSM, where its curve falls. */
const shownRanks = [0, 1, 2, 4, 6, 8, 10, 12, 14, 15, 16, 17, 20, 24, 28, 32, 40, 48, 56, 64];

/** Relative error of the best approximation of the corner against its rank. */
export function lowRankFigure(
  curves: readonly ApproximationCurve[],
  subtitle: readonly string[],
): TopLevelSpec {
  return lineFigure({
    title: 'Low-rank approximation of the corner',
    subtitle,
    x: {
      title: 'rank r of the approximation',
      range: [-1, 65],
      ticks: [0, 16, 32, 48, 64],
      format: 'd',
    },
    y: { title: 'relative error (Frobenius)', scale: 'log', range: [roundingFloor, 2] },
    series: curves.map(({ kernel, errors }) => ({
      label: kernel,
      points: shownRanks.flatMap((x) => {
        const y = errors[x] ?? 0;
        return y >= roundingFloor ? [{ x, y }] : [];
      }),
    })),
  });
}

/** Ticks a tenth of the range apart or more. */
function spacedTicks(lengths: readonly number[]): number[] {
  const sorted = [...lengths].sort((a, b) => a - b);
  const apart = ((sorted.at(-1) as number) - (sorted[0] as number)) / 10;
  const kept: number[] = [];
  // From the long end, which has to be named.
  for (const length of sorted.reverse()) {
    const previous = kept.at(-1);
    if (previous === undefined || previous - length >= apart) kept.push(length);
  }
  return kept.reverse();
}
