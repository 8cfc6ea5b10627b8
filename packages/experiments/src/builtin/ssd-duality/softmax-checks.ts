/** What exp5 and exp5b claim of softmax attention, checked on what was computed. */
import {
  type Matrix,
  matVec,
  modularRank,
  runDiagonalSsm,
  semiseparableOrder,
} from '@statespace/ssd-core/structure';
import { Generator } from '@statespace/tensor';
import type { Check } from '../../experiment/result.js';
import { outputDifference } from './equivalence.js';
import { type ApproximationCurve, controlStates, randomSlowSsm } from './low-rank.js';
import { cornerBlock } from './softmax-kernel.js';
import { type AttentionRanks, type RankRow, type SoftmaxMathematics, spectrumOf } from './softmax-rank.js';

/** From this key width on the corner has full rank in float64; with narrower keys its singular values fade too fast. */
export const fullRankKeyWidth = 3;

const rankShare = 0.9;

/** Rows are distributions over the steps so far: sums of 1, nothing after the step, something on each one before. */
export function attentionIsCausal(attentions: readonly Matrix[]): Check {
  let sumError = 0;
  let misplaced = 0;
  for (const { rows, cols, data } of attentions) {
    for (let t = 0; t < rows; t++) {
      const row = data.subarray(t * cols, (t + 1) * cols);
      sumError = Math.max(sumError, Math.abs(row.reduce((a, b) => a + b, 0) - 1));
      misplaced += row.filter((weight, s) => (s <= t ? !(weight > 0) : weight !== 0)).length;
    }
  }
  return {
    claim: 'attention weights sum to 1 over the steps up to and including the own one, all of them positive',
    passed: sumError <= 1e-12 && misplaced === 0,
    found: `sums off by ${sumError.toExponential(1)}, ${misplaced} weights misplaced`,
  };
}

/** The corner's rank grows with T: what no state of fixed size can carry. Only for keys of width 3 and more. */
export function cornerRankGrows(rows: readonly RankRow[]): Check[] {
  const wide = rows.filter((row) => row.d_k >= fullRankKeyWidth);
  if (wide.length === 0) return [];
  const share = Math.min(...wide.map((row) => row.corner_rank / Math.floor(row.T / 2)));
  return [
    {
      claim: `the corner P[T/2:, :T/2] of softmax has a rank of at least ${rankShare} T/2 at every T`,
      passed: share >= rankShare,
      found: `least share ${share.toFixed(3)}`,
    },
  ];
}

/** P is triangular with a positive diagonal: its exact rank is T, and float64 sees most of it. */
export function kernelRankNearFull(rows: readonly RankRow[]): Check {
  const share = Math.min(...rows.map((row) => row.kernel_rank / row.T));
  const largest = Math.max(...rows.map((row) => row.kernel_rank / row.T));
  return {
    claim: `the whole of P has a rank of at least ${rankShare} T, and of at most T`,
    passed: share >= rankShare && largest <= 1,
    found: `least share ${share.toFixed(3)}`,
  };
}

/** The rank of the whole proves nothing: equal scores give rank T, too, and a state of one number carries them. */
export function uniformAttentionIsOneSemiseparable(seqLen: number, maths: SoftmaxMathematics): Check {
  const uniform = maths.attention({ rows: seqLen, cols: seqLen, data: new Float64Array(seqLen * seqLen) });
  const { rank } = spectrumOf(uniform, maths);
  const order = semiseparableOrder(uniform);
  return {
    claim: `attention with equal scores has kernel rank T = ${seqLen}, and yet semiseparable order 1`,
    passed: rank === seqLen && order === 1,
    found: `kernel rank ${rank}, order ${order}`,
  };
}

/** Side of the exact witness. */
const witnessSize = 64;
const witnessPrime = 1_000_000_007n;
/** A prime too, but 2 has order 31 modulo it: rows i and i + 31 of 2^(ij) are the same. */
const trapPrime = 2_147_483_647n;

/** Scores ln 2 i j give exp(S) = 2^(ij), a Vandermonde matrix: full rank, exactly, by elimination modulo a prime. */
export function exactWitness(rank: typeof modularRank = modularRank) {
  const power = (i: number, j: number): bigint => 1n << BigInt(i * j);
  const [full, trap] = [witnessPrime, trapPrime].map((prime) =>
    rank(witnessSize, witnessSize, power, prime),
  ) as [number, number];
  return {
    metadata: {
      witness_T: witnessSize,
      witness_prime: Number(witnessPrime),
      witness_rank: full,
      trap_prime: Number(trapPrime),
      trap_rank: trap,
    },
    checks: [
      {
        claim: `exp(S) with scores ln 2 i j has rank T exactly: ${witnessSize} modulo ${witnessPrime}`,
        passed: full === witnessSize,
        found: `rank ${full}`,
      },
      {
        claim: `modulo 2^31 - 1, where 2 has order 31, the same matrix shows rank 31 only`,
        passed: trap === 31,
        found: `rank ${trap}`,
      },
    ] satisfies Check[],
  };
}

/** The control: the same measurement on a kernel whose corner is known to have rank N, and whose output is known. */
export function ssmCornerHasStateRank(seqLen: number, seed: number, maths: SoftmaxMathematics): Check {
  const ssm = randomSlowSsm(seqLen, controlStates, seed);
  const kernel = maths.ssmKernel(ssm);
  const { rank } = spectrumOf(cornerBlock(kernel), maths);
  const u = new Generator(seed, seqLen + 1).normal(seqLen);
  const { relative } = outputDifference(matVec(kernel, u), runDiagonalSsm(ssm, u));
  return {
    claim: `an SSM with N = ${controlStates} states has a corner of rank N, and its kernel gives its outputs to 1e-12`,
    passed: rank === controlStates && relative <= 1e-12,
    found: `rank ${rank}, outputs apart by ${relative.toExponential(1)}`,
  };
}

/** Rank N is all of an SSM's corner, and leaves a hundredth or more of softmax's. */
export function softmaxNeedsMoreRanks(curves: readonly ApproximationCurve[], dK: number): Check[] {
  const errorOf = (kernel: string): number =>
    curves.find((curve) => curve.kernel === kernel)?.errors[controlStates] ?? Number.NaN;
  const ssm = errorOf(`SSM, N = ${controlStates}`);
  const softmax = errorOf(`softmax, d_k = ${dK}`);
  if (dK < fullRankKeyWidth) return [];
  return [
    {
      claim: `the best approximation of rank ${controlStates} is exact for an SSM with as many states, not for softmax`,
      passed: ssm <= 1e-12 && softmax >= 0.01,
      found: `errors ${ssm.toExponential(1)} and ${softmax.toExponential(1)}`,
    },
  ];
}

/** All that exp5 checks beside the witness. */
export function softmaxChecks(
  ranks: readonly AttentionRanks[],
  curves: readonly ApproximationCurve[],
  { dK, seed }: { readonly dK: number; readonly seed: number },
  maths: SoftmaxMathematics,
): Check[] {
  const rows = ranks.map(({ row }) => row);
  return [
    attentionIsCausal(ranks.map(({ attention }) => attention)),
    ...cornerRankGrows(rows),
    kernelRankNearFull(rows),
    uniformAttentionIsOneSemiseparable(40, maths),
    ssmCornerHasStateRank(80, seed, maths),
    ...softmaxNeedsMoreRanks(curves, dK),
  ];
}
