/**
 * exp2: a diagonal state space model with N constant decays is a sum of N heads of 1-semiseparable attention, and an
 * N-semiseparable matrix (sections 4.1 and 3). B = C = 1: M[t,s] = sum_n lambda_n^(t-s) for s <= t.
 */
import { ConfigError } from '@statespace/ssd-core';
import { constantDiagonalSsm, vandermonde } from '@statespace/ssd-core/structure';
import { Generator } from '@statespace/tensor';
import { z } from 'zod';
import { analysisParams, writeRunFigures } from '../../experiment/analysis.js';
import { defineExperiment } from '../../experiment/define.js';
import type { Findings } from '../../experiment/result.js';
import { type DualityMathematics, dualityMathematics } from './duality-mathematics.js';
import { differenceMetadata } from './equivalence.js';
import { kernelFigures } from './kernel-figures.js';
import { clearRank, exactOrder, middleBlock, ranksCheck } from './rank-check.js';
import { decaysParam, lengthParam, mostOrderLength, paper, spacedDecays } from './shared-params.js';
import { type SumOfHeads, sumOfHeads } from './sum-of-heads.js';

export interface DiagonalParams {
  readonly seqLen: number;
  readonly seed: number;
  readonly decays?: readonly number[] | undefined;
  /** Evenly spaced decays instead. */
  readonly dState?: number | undefined;
}

const defaultDecays = [0.5, 0.8];

/** The claims of exp2, computed with `maths`, and what its figures show. */
export function diagonalEquivalence(
  {
    seqLen,
    seed,
    dState,
    decays = dState === undefined ? defaultDecays : spacedDecays(dState),
  }: DiagonalParams,
  maths: DualityMathematics = dualityMathematics,
): Findings & { readonly sum: SumOfHeads } {
  const sum = sumOfHeads(constantDiagonalSsm(seqLen, decays), new Generator(seed), maths);
  const distinct = new Set(decays).size;
  const generator = {
    found: maths.generatorRank(decays, seqLen),
    exact: Math.min(seqLen, distinct),
    clear: clearRank(vandermonde(decays, seqLen)),
  };
  const order = {
    found: maths.order(sum.kernel),
    exact: exactOrder(distinct, seqLen),
    clear: clearRank(middleBlock(sum.kernel)),
  };
  const kernelRank = maths.kernelRank(sum.kernel);
  return {
    details: [
      ...sum.checks,
      ranksCheck(`the generators have rank ${generator.exact}, one for each different decay`, [generator]),
      ranksCheck(`the semiseparable order is ${order.exact}`, [order]),
      {
        claim: `the ordinary rank is T = ${seqLen}, whatever N: M is triangular with N on its diagonal`,
        passed: kernelRank === seqLen,
        found: String(kernelRank),
      },
    ],
    metadata: {
      T: seqLen,
      decays,
      N: decays.length,
      seed,
      ...differenceMetadata(sum.difference),
      head_norms: sum.headNorms,
      generator_rank: generator.found,
      ss_order: order.found,
      kernel_rank: kernelRank,
    },
    artifacts: [],
    tolerance: maths.tolerance,
    sum,
  };
}

export const exp2DiagonalEquivalence = defineExperiment({
  name: 'exp2-diagonal-equivalence',
  aliases: ['exp2', 'exp2_diagonal_equivalence'],
  summary: 'A diagonal SSM is a sum of 1-semiseparable heads; its order is the number of decays, its rank T',
  paper: `${paper}, sections 3 and 4.1`,
  dtype: 'f64',
  params: z.strictObject({
    ...analysisParams(2),
    seqLen: lengthParam(40, mostOrderLength),
    decays: decaysParam().optional().meta({ description: 'Decays of the states (default 0.5 0.8)' }),
    dState: z
      .int()
      .min(1)
      .max(64)
      .optional()
      .meta({ description: 'As many evenly spaced decays in [0.15, 0.9], instead of decays', flag: '--N' }),
  }),
  fast: { seqLen: 24 },
  check: ({ decays, dState }) => {
    if (decays === undefined || dState === undefined) return;
    throw new ConfigError({ op: 'exp2', argument: 'dState', wanted: 'either decays or dState', got: 'both' });
  },
  run: async (params, { run }) => {
    const { sum, ...findings } = diagonalEquivalence(params);
    const title = 'Kernel of a diagonal SSM';
    const artifacts = await writeRunFigures(run, kernelFigures(title, 'exp2', sum));
    return { status: 'completed', ...findings, artifacts };
  },
});
