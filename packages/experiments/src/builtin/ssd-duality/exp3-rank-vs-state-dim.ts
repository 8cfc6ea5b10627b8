/**
 * exp3: how many states a diagonal SSM has shows in the rank of its generators, V[k,n] = lambda_n^k, and in the
 * semiseparable order of its kernel (Definition 3.1). It does not show in the kernel's ordinary rank, which is T.
 */
import { z } from 'zod';
import { analysisParams, breathe, seedList } from '../../experiment/analysis.js';
import { defineExperiment } from '../../experiment/define.js';
import type { Findings } from '../../experiment/result.js';
import { type DualityMathematics, dualityMathematics } from './duality-mathematics.js';
import { agreement, differenceMetadata, toleranceIsStrict, worstDifference } from './equivalence.js';
import { ranksCheck } from './rank-check.js';
import { type KernelRanks, kernelRanks, listedGenerator } from './rank-row.js';
import { lengthsParam, paper } from './shared-params.js';

/** Decays of one to five states. */
const decaySets = [[0.9], [0.5, 0.8], [0.4, 0.6, 0.9], [0.2, 0.4, 0.6, 0.8, 0.95]];

export interface RankGridParams {
  readonly seqLens: readonly number[];
  readonly seeds: readonly number[];
  readonly seed: number;
  /** Number of random decays in a set of their own; 0 for none. */
  readonly randomN: number;
}

/** Ranks for every length, seed and set of decays. */
export function* rankGrid(
  { seqLens, seeds, seed, randomN }: RankGridParams,
  maths: DualityMathematics = dualityMathematics,
): globalThis.Generator<KernelRanks, void> {
  for (const seqLen of seqLens) {
    for (const listed of seeds) {
      const generator = listedGenerator(listed, seed);
      const random = randomN === 0 ? [] : [randomDecays(generator.uniform(randomN))];
      for (const decays of [...decaySets, ...random]) yield kernelRanks(seqLen, decays, generator, maths);
    }
  }
}

/** One decay in the middle half of each of as many equal parts of [0.2, 0.95]: none as good as equal to another. */
function randomDecays(shares: Float64Array): number[] {
  const part = (0.95 - 0.2) / shares.length;
  return [...shares].map((share, n) => 0.2 + part * (n + 0.25 + share / 2));
}

/** The claims of exp3 about `ranks`, computed with `maths`. */
export function rankFindings(ranks: readonly KernelRanks[], { tolerance }: DualityMathematics): Findings {
  const difference = worstDifference(ranks.map((found) => found.difference));
  const wrongRank = ranks.filter(({ row }) => row.kernel_rank !== row.T).length;
  const [first] = ranks as readonly [KernelRanks, ...KernelRanks[]];
  return {
    details: [
      ranksCheck(
        'the generators have rank min(T, number of different decays)',
        ranks.map(({ generator }) => generator),
      ),
      ranksCheck(
        'the semiseparable order is min(number of different decays, ⌈T/2⌉)',
        ranks.map(({ order }) => order),
      ),
      {
        claim: 'the ordinary rank of the kernel is T, whatever the number of states',
        passed: ranks.length > 0 && wrongRank === 0,
        found: `${ranks.length - wrongRank} of ${ranks.length}`,
      },
      agreement('every one of these kernels gives the outputs of its recurrence', difference, tolerance),
      toleranceIsStrict(first.outputs, tolerance),
    ],
    metadata: {
      rows: ranks.map(({ row }) => row),
      ...differenceMetadata(difference),
    },
    artifacts: [],
    tolerance,
  };
}

export const exp3RankVsStateDim = defineExperiment({
  name: 'exp3-rank-vs-state-dim',
  aliases: ['exp3', 'exp3_rank_vs_state_dim'],
  summary:
    'Generator rank and semiseparable order count the states of a diagonal SSM; ordinary rank does not',
  paper: `${paper}, Definition 3.1 and appendix C.3`,
  dtype: 'f64',
  params: z.strictObject({
    ...analysisParams(),
    seed: z
      .int()
      .min(0)
      .default(0)
      .meta({ description: 'Which of independent sets of draws the seeds take' }),
    seqLens: lengthsParam([15, 30]),
    seeds: seedList([0, 1]).meta({
      description: 'Seeds of b, c and the random decays',
      flag: ['--seeds', '--exp3-seeds'],
    }),
    randomN: z
      .int()
      .min(0)
      .max(32)
      .default(4)
      .meta({
        description: 'Number of random decays in a further set; 0 for none',
        flag: ['--random-n', '--exp3-random-n'],
      }),
  }),
  fast: { seqLens: [15], seeds: [0] },
  run: async (params, { signal }) => {
    const ranks: KernelRanks[] = [];
    for (const found of rankGrid(params)) {
      ranks.push(found);
      await breathe(signal);
    }
    return { status: 'completed', ...rankFindings(ranks, dualityMathematics) };
  },
});
