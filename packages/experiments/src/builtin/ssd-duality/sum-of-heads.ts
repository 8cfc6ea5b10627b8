/** A diagonal SSM as a sum of masked-attention heads: what exp2 and exp2b check of any such system. */
import { type DiagonalSsm, type Matrix, matVec } from '@statespace/ssd-core/structure';
import type { Generator } from '@statespace/tensor';
import type { Check } from '../../experiment/result.js';
import type { DualityMathematics } from './duality-mathematics.js';
import {
  agreement,
  frobeniusNorm,
  type OutputDifference,
  outputDifference,
  sumMatrices,
  toleranceIsStrict,
  worstDifference,
} from './equivalence.js';

/** The kernel and its heads, and how well the ways of computing y = M u agree. */
export interface SumOfHeads {
  readonly kernel: Matrix;
  readonly heads: readonly Matrix[];
  readonly difference: OutputDifference;
  readonly headNorms: readonly number[];
  readonly checks: readonly Check[];
}

/** Compares recurrence, kernel and sum of heads on standard normal inputs. */
export function sumOfHeads(ssm: DiagonalSsm, generator: Generator, maths: DualityMathematics): SumOfHeads {
  const u = generator.normal(ssm.seqLen);
  const y = maths.recurrence(ssm, u);
  const kernel = maths.kernel(ssm);
  const heads = maths.heads(ssm);
  const difference = worstDifference([
    outputDifference(matVec(kernel, u), y),
    outputDifference(matVec(sumMatrices(heads), u), y),
  ]);
  const entries = outputDifference(sumMatrices(heads).data, kernel.data);
  return {
    kernel,
    heads,
    difference,
    headNorms: heads.map(frobeniusNorm),
    checks: [
      agreement(
        'the recurrence, the kernel and the sum of the heads give the same outputs',
        difference,
        maths.tolerance,
      ),
      {
        claim: `the kernel is the sum of ${ssm.dState} heads 1SS(a_n) ∘ (c_n b_nᵀ), entry by entry`,
        passed: heads.length === ssm.dState && entries.relative <= maths.tolerance,
        found: `${heads.length} heads, max|ΔM| = ${entries.maxAbs.toExponential(1)}`,
      },
      toleranceIsStrict(y, maths.tolerance),
    ],
  };
}
