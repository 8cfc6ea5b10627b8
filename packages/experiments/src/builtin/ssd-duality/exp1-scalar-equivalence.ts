/**
 * exp1: a scalar state space model is 1-semiseparable masked attention (Proposition 3.1).
 *   h[t] = a h[t-1] + b u[t], y[t] = c h[t]   equals   y = (1SS(a) o c b^T) u,  1SS(a)[t,s] = a^(t-s) for s <= t.
 */
import { constantDiagonalSsm, matVec } from '@statespace/ssd-core/structure';
import { Generator } from '@statespace/tensor';
import { z } from 'zod';
import { analysisParams } from '../../experiment/analysis.js';
import { defineExperiment } from '../../experiment/define.js';
import type { Findings } from '../../experiment/result.js';
import { type DualityMathematics, dualityMathematics } from './duality-mathematics.js';
import {
  agreement,
  differenceMetadata,
  outputDifference,
  toleranceIsStrict,
  worstDifference,
} from './equivalence.js';
import { lengthParam, paper } from './shared-params.js';

export interface ScalarParams {
  readonly seqLen: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly seed: number;
}

/** Decays at which powers are special: 0^0 = 1, no decay, alternating signs. */
const boundaryDecays = [0, 1, -0.9];

/** The claims of exp1, computed with `maths`. */
export function scalarEquivalence(
  { seqLen, a, b, c, seed }: ScalarParams,
  maths: DualityMathematics = dualityMathematics,
): Findings {
  const u = new Generator(seed).normal(seqLen);
  const compare = (decay: number, inputs: Float64Array) => {
    const y = maths.recurrence(constantDiagonalSsm(inputs.length, [decay], { b: [b], c: [c] }), inputs);
    const masked = matVec(maths.mask(new Float64Array(inputs.length).fill(decay)), inputs);
    return {
      y,
      difference: outputDifference(
        masked.map((value) => c * b * value),
        y,
      ),
    };
  };
  const { y, difference } = compare(a, u);
  const boundaries = boundaryDecays.flatMap((decay) => [
    compare(decay, u).difference,
    compare(decay, u.subarray(0, 1)).difference,
  ]);
  const { tolerance } = maths;
  return {
    details: [
      agreement('the recurrence and masked attention give the same outputs', difference, tolerance),
      agreement(
        `so they do with a = ${boundaryDecays.join(', ')}, at this length and at T = 1`,
        worstDifference(boundaries),
        tolerance,
      ),
      toleranceIsStrict(y, tolerance),
    ],
    metadata: { T: seqLen, a, b, c, seed, ...differenceMetadata(difference) },
    artifacts: [],
    tolerance,
  };
}

const factor = (description: string) => z.number().default(1).meta({ description });

export const exp1ScalarEquivalence = defineExperiment({
  name: 'exp1-scalar-equivalence',
  aliases: ['exp1', 'exp1_scalar_equivalence'],
  summary: 'A scalar SSM is 1-semiseparable masked attention',
  paper: `${paper}, Proposition 3.1`,
  dtype: 'f64',
  params: z.strictObject({
    ...analysisParams(1),
    seqLen: lengthParam(32),
    a: z.number().min(-1).max(1).default(0.9).meta({ description: 'Decay of the state' }),
    b: factor('Weight of the input in the state'),
    c: factor('Weight of the state in the output'),
  }),
  fast: { seqLen: 16 },
  run: async (params) => ({ status: 'completed', ...scalarEquivalence(params) }),
});
