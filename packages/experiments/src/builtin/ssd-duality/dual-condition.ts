/**
 * The dual condition (Theorem 4.1): a kernel is 1-semiseparable masked attention L o Q K^T with Q, K (T, N) if and only
 * if its nonzeros lie in diagonal blocks with at most N new columns each. Column t is new when M[t:,t] is not in the
 * span of M[t:,:t] (Definition 4.2).
 */
import { z } from 'zod';
import { analysisParams, breathe, writeRunFigures } from '../../experiment/analysis.js';
import { defineExperiment } from '../../experiment/define.js';
import type { Findings } from '../../experiment/result.js';
import { binaryChecks, enumerateBinary } from './dual-binary.js';
import {
  betaSweep,
  bidiagonalFindings,
  cornerFindings,
  type SweepRow,
  singleMaskFindings,
  sweepChecks,
} from './dual-examples.js';
import { examplesFigure, sweepFigure } from './dual-figures.js';
import { type DualMathematics, dualMathematics } from './dual-mathematics.js';
import { type RandomDualRow, randomDualChecks, randomDuals } from './dual-random.js';
import { toleranceIsStrict } from './equivalence.js';
import { lengthsParam, paper } from './shared-params.js';

export interface DualConditionParams {
  readonly seqLens: readonly number[];
  readonly dState: number;
  readonly kernels: number;
  readonly betas: readonly number[];
  readonly seed: number;
}

/** Error of a dual that has to be noticed, relative to the largest entry. */
const smallestError = 1e-6;

/** The claims about the dual condition; `rows` are of `randomDuals` with the same parameters. */
export function dualCondition(
  { betas, seed }: Pick<DualConditionParams, 'betas' | 'seed'>,
  rows: readonly RandomDualRow[],
  maths: DualMathematics = dualMathematics,
): Findings & { readonly sweep: readonly SweepRow[] } {
  const binary = enumerateBinary(maths);
  const bidiagonal = bidiagonalFindings(maths);
  const corner = cornerFindings(maths);
  const sweep = betaSweep(betas, seed, maths);
  const singleMask = singleMaskFindings(maths);
  return {
    details: [
      ...binaryChecks(binary),
      ...randomDualChecks(rows, maths.tolerance),
      ...bidiagonal.checks,
      corner.check,
      ...sweepChecks(sweep),
      singleMask.check,
      toleranceIsStrict(Float64Array.of(1), maths.tolerance, smallestError),
    ],
    metadata: {
      seed,
      binary_matrices: binary.matrices,
      binary_completion_rank_equals_new_columns: binary.rightCompletions,
      random_kernels: rows,
      worst_error: Math.max(...rows.map((row) => row.max_error)),
      bidiagonal: { ss_order: bidiagonal.order, new_columns: bidiagonal.newColumns },
      identity_plus_corner: corner.rows,
      beta_sweep: sweep,
      single_mask_error: singleMask.error,
    },
    artifacts: [],
    tolerance: maths.tolerance,
    sweep,
  };
}

export const dualConditionExperiment = defineExperiment({
  name: 'dual-condition',
  aliases: ['dual', 'dual_condition'],
  summary: 'A 1-SS dual of width N exists where each diagonal block has N new columns at most',
  paper: `${paper}, Theorem 4.1, Remark 3.1 and Proposition 5.1`,
  dtype: 'f64',
  params: z.strictObject({
    ...analysisParams(),
    seqLens: lengthsParam([16, 64, 256]).meta({
      description: 'Lengths T of the random kernels',
      flag: '--T-values',
    }),
    dState: z
      .int()
      .min(1)
      .max(16)
      .default(4)
      .meta({ description: 'States N of the random kernels', flag: '--N' }),
    kernels: z
      .int()
      .min(1)
      .max(1000)
      .default(2)
      .meta({ description: 'Random kernels of each length', flag: '--kernels' }),
    betas: z
      .array(z.number().min(0).max(2))
      .min(1)
      .default([0.25, 0.5, 0.75, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2])
      .meta({ description: "Strengths of DeltaNet's update", flag: '--betas' }),
  }),
  fast: { seqLens: [16, 64] },
  run: async (params, { run, signal }) => {
    const rows: RandomDualRow[] = [];
    for (const row of randomDuals(params, dualMathematics)) {
      rows.push(row);
      await breathe(signal);
    }
    const { sweep, ...findings } = dualCondition(params, rows);
    const figures = {
      dual_condition_examples: examplesFigure(params.seed, dualMathematics),
      dual_condition_beta_sweep: sweepFigure(sweep),
    };
    return { status: 'completed', ...findings, artifacts: await writeRunFigures(run, figures) };
  },
});
