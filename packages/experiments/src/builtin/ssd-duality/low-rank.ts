/**
 * Low-rank approximation of softmax attention against state-space kernels. Ranks count what is not zero; the error of
 * the best approximation of rank r tells how much of it matters.
 */
import type { DiagonalSsm } from '@statespace/ssd-core/structure';
import { Generator } from '@statespace/tensor';
import { cornerBlock, lowRankErrors, randomScores, rankWithin } from './softmax-kernel.js';
import { type SoftmaxMathematics, type Spectrum, softmaxMathematics, spectrumOf } from './softmax-rank.js';

/** States of the state-space kernel that softmax is compared with. */
export const controlStates = 16;

/** Slow decays: with fast ones hardly anything of the first half is left in the second. */
const [slowest, fastest] = [0.999, 0.92];

/** How well few ranks approximate the corner of one kernel. */
export interface ApproximationCurve {
  readonly kernel: string;
  readonly spectrum: Spectrum;
  /** Relative Frobenius error of rank r = 0, 1, ... */
  readonly errors: Float64Array;
}

/** A time-varying SSM of `dState` states: decays U(0.92, 0.999), b and c standard normal. */
export function randomSlowSsm(seqLen: number, dState: number, seed: number): DiagonalSsm {
  const generator = new Generator(seed, seqLen);
  const count = seqLen * dState;
  const a = generator.uniform(count).map((share) => fastest + (slowest - fastest) * share);
  return { seqLen, dState, a, b: generator.normal(count), c: generator.normal(count) };
}

/** Curves of softmax with key widths `keyWidths`, and of an SSM with 16 states, at length `seqLen`. */
export function approximationCurves(
  seqLen: number,
  keyWidths: readonly number[],
  seed: number,
  maths: SoftmaxMathematics = softmaxMathematics,
): ApproximationCurve[] {
  const softmax = keyWidths.map((dK) => ({
    kernel: `softmax, d_k = ${dK}`,
    matrix: maths.attention(randomScores(seqLen, dK, new Generator(seed))),
  }));
  const ssm = {
    kernel: `SSM, N = ${controlStates}`,
    matrix: maths.ssmKernel(randomSlowSsm(seqLen, controlStates, seed)),
  };
  return [...softmax, ssm].map(({ kernel, matrix }) => {
    const spectrum = spectrumOf(cornerBlock(matrix), maths);
    return { kernel, spectrum, errors: lowRankErrors(spectrum.values) };
  });
}

/** What the logs hold of a curve. */
export function curveSummary({ kernel, spectrum, errors }: ApproximationCurve): Record<string, unknown> {
  return {
    kernel,
    corner_rank: spectrum.rank,
    tolerance: spectrum.tolerance,
    rank_within_10_percent: rankWithin(errors, 0.1),
    rank_within_1_percent: rankWithin(errors, 0.01),
    [`error_of_rank_${controlStates}`]: errors[Math.min(controlStates, errors.length - 1)] as number,
  };
}
