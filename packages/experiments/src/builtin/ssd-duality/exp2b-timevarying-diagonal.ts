/**
 * exp2b: with decays, B and C that change at every step, a diagonal state space model is still a sum of N heads:
 *   M[t,s] = sum_n c[t,n] L[t,s,n] b[s,n],  L[t,s,n] = a[s+1,n] ... a[t,n], a mask (T, T, N).
 */
import type { DiagonalSsm } from '@statespace/ssd-core/structure';
import { Generator } from '@statespace/tensor';
import { z } from 'zod';
import { analysisParams, writeRunFigures } from '../../experiment/analysis.js';
import { defineExperiment } from '../../experiment/define.js';
import type { Findings } from '../../experiment/result.js';
import { type DualityMathematics, dualityMathematics } from './duality-mathematics.js';
import { differenceMetadata } from './equivalence.js';
import { kernelFigures } from './kernel-figures.js';
import { clearRank, exactOrder, middleBlock, ranksCheck } from './rank-check.js';
import { lengthParam, mostOrderLength, paper } from './shared-params.js';
import { type SumOfHeads, sumOfHeads } from './sum-of-heads.js';

export interface TimeVaryingParams {
  readonly seqLen: number;
  readonly dState: number;
  readonly seed: number;
}

/** Decays U(0.3, 0.95), b and c U(-1, 1), all of them different at every step. */
export function randomTimeVaryingSsm(seqLen: number, dState: number, generator: Generator): DiagonalSsm {
  const draw = (least: number, most: number) =>
    generator.uniform(seqLen * dState).map((share) => least + (most - least) * share);
  return { seqLen, dState, a: draw(0.3, 0.95), b: draw(-1, 1), c: draw(-1, 1) };
}

/** The claims of exp2b, computed with `maths`, and what its figures show. */
export function timeVaryingEquivalence(
  { seqLen, dState, seed }: TimeVaryingParams,
  maths: DualityMathematics = dualityMathematics,
): Findings & { readonly sum: SumOfHeads } {
  const generator = new Generator(seed);
  const sum = sumOfHeads(randomTimeVaryingSsm(seqLen, dState, generator), generator, maths);
  const order = {
    found: maths.order(sum.kernel),
    exact: exactOrder(dState, seqLen),
    clear: clearRank(middleBlock(sum.kernel)),
  };
  return {
    details: [
      ...sum.checks,
      ranksCheck(`the semiseparable order is min(N, ⌈T/2⌉) = ${order.exact}, N at most`, [order]),
    ],
    metadata: {
      T: seqLen,
      N: dState,
      seed,
      mask_shape: [seqLen, seqLen, dState],
      ...differenceMetadata(sum.difference),
      head_norms: sum.headNorms,
      ss_order: order.found,
      kernel_rank: maths.kernelRank(sum.kernel),
    },
    artifacts: [],
    tolerance: maths.tolerance,
    sum,
  };
}

export const exp2bTimevaryingDiagonal = defineExperiment({
  name: 'exp2b-timevarying-diagonal',
  aliases: ['exp2b', 'exp2b_timevarying_diagonal'],
  summary: 'A diagonal SSM that changes at every step is a sum of 1-semiseparable heads too',
  paper: `${paper}, section 4.1`,
  dtype: 'f64',
  params: z.strictObject({
    ...analysisParams(3),
    seqLen: lengthParam(16, mostOrderLength),
    dState: z.int().min(1).max(64).default(4).meta({ description: 'Number of states N', flag: '--N' }),
  }),
  fast: { seqLen: 12 },
  run: async (params, { run }) => {
    const { sum, ...findings } = timeVaryingEquivalence(params);
    const title = 'Kernel of a time-varying diagonal SSM';
    const artifacts = await writeRunFigures(run, kernelFigures(title, 'exp2b', sum));
    return { status: 'completed', ...findings, artifacts };
  },
});
