/** Ranks of one diagonal kernel with constant decays: the four notions beside what theory says. */
import { constantDiagonalSsm, matVec, vandermonde } from '@statespace/ssd-core/structure';
import { Generator } from '@statespace/tensor';
import type { DualityMathematics } from './duality-mathematics.js';
import { type OutputDifference, outputDifference } from './equivalence.js';
import { clearRank, exactOrder, isSaturated, middleBlock, type RankFinding } from './rank-check.js';

/** A row of the tables and logs. */
export interface KernelRankRow extends Readonly<Record<string, unknown>> {
  readonly T: number;
  readonly seed: number;
  readonly decays: readonly number[];
  /** min(T, number of different decays). */
  readonly theory: number;
  readonly generator_rank: number;
  readonly ss_order: number;
  readonly kernel_rank: number;
  /** Whether the generators' rank or the order is out of float64's reach. */
  readonly saturated: boolean;
}

export interface KernelRanks {
  readonly row: KernelRankRow;
  readonly generator: RankFinding;
  readonly order: RankFinding;
  readonly outputs: Float64Array;
  readonly difference: OutputDifference;
}

/**
 * Ranks for b and c U(0.5, 1.5), drawn by `seed`: generic, and of one sign, which keeps the inverse of M small and its
 * ordinary rank in sight of float64.
 */
export function kernelRanks(
  seqLen: number,
  decays: readonly number[],
  generator: Generator,
  maths: DualityMathematics,
): KernelRanks {
  const draw = () => [...generator.uniform(decays.length)].map((share) => 0.5 + share);
  const ssm = constantDiagonalSsm(seqLen, decays, { b: draw(), c: draw() });
  const u = generator.normal(seqLen);
  const outputs = maths.recurrence(ssm, u);
  const kernel = maths.kernel(ssm);
  const distinct = new Set(decays).size;
  const found = {
    generator: {
      found: maths.generatorRank(decays, seqLen),
      exact: Math.min(seqLen, distinct),
      clear: clearRank(vandermonde(decays, seqLen)),
    },
    order: {
      found: maths.order(kernel),
      exact: exactOrder(distinct, seqLen),
      clear: clearRank(middleBlock(kernel)),
    },
  };
  return {
    ...found,
    row: {
      T: seqLen,
      seed: generator.seed,
      decays,
      theory: found.generator.exact,
      generator_rank: found.generator.found,
      ss_order: found.order.found,
      kernel_rank: maths.kernelRank(kernel),
      saturated: isSaturated(found.generator) || isSaturated(found.order),
    },
    outputs,
    difference: outputDifference(matVec(kernel, u), outputs),
  };
}

/** Draws for one of the listed seeds; `seed` chooses among independent sets of draws. */
export function listedGenerator(listed: number, seed: number): Generator {
  return new Generator(listed, seed);
}
