/** Each claim about softmax must fail when the mathematics under it is broken. */
import { type DiagonalSsm, diagonalKernel, type Matrix, modularRank } from '@statespace/ssd-core/structure';
import { Generator } from '@statespace/tensor';
import { describe, expect, test } from 'vitest';
import { approximationCurves } from './low-rank.js';
import { exactWitness, softmaxChecks } from './softmax-checks.js';
import { causalSoftmax } from './softmax-kernel.js';
import { attentionRanks, type SoftmaxMathematics, softmaxMathematics } from './softmax-rank.js';

/** The claims of exp5 that fail with `broken` in the place of the right mathematics. */
function failures(broken: Partial<SoftmaxMathematics>, seed = 0): string[] {
  const maths = { ...softmaxMathematics, ...broken };
  const ranks = [40, 80].map((seqLen) => attentionRanks(seqLen, 16, new Generator(seed), maths));
  const curves = approximationCurves(80, [16], seed, maths);
  const checks = softmaxChecks(ranks, curves, { dK: 16, seed }, maths);
  return checks.filter((check) => !check.passed).map((check) => check.claim);
}

test.each([0, 1, 2, 3, 4])('the right mathematics passes, seed %i', (seed) => {
  expect(failures({}, seed)).toEqual([]);
});

const causalClaim = /^attention weights sum to 1/;
const ssmClaim = /^an SSM with N/;

describe('attention', () => {
  /** Softmax over the steps `admits` lets through, and over nothing else. */
  const masked =
    (admits: (t: number, s: number) => boolean) =>
    ({ rows, cols, data }: Matrix): Matrix => {
      const out = new Float64Array(rows * cols);
      for (let t = 0; t < rows; t++) {
        const weights = Array.from(data.subarray(t * cols, (t + 1) * cols), (score, s) =>
          admits(t, s) ? Math.exp(score) : 0,
        );
        const total = weights.reduce((a, b) => a + b, 0) || 1;
        for (const [s, weight] of weights.entries()) out[t * cols + s] = weight / total;
      }
      return { rows, cols, data: out };
    };

  test('the mask of this test is the right one where it is right', () => {
    expect(failures({ attention: masked((t, s) => s <= t) })).toEqual([]);
  });

  test.each([
    ['no causal mask', masked(() => true)],
    ['no diagonal', masked((t, s) => s < t)],
    ['a mask that is late by one', masked((t, s) => s <= t + 1)],
    ['a mask after the normalisation', (scores: Matrix) => lowerPart(masked(() => true)(scores))],
  ])('%s', (_name, attention) => {
    expect(failures({ attention }).join()).toMatch(causalClaim);
  });

  test('weights linear in the scores: the corner has the rank of the keys, plus one', () => {
    // exp(ln(S + 10)): scores of variance 1 stay above -10.
    const linear = (scores: Matrix): Matrix =>
      causalSoftmax({ ...scores, data: scores.data.map((score) => Math.log(score + 10)) });
    expect(failures({ attention: linear }).join()).toMatch(/the corner P/);
  });
});

describe('the control, a state-space kernel', () => {
  const edited =
    (edit: (entry: number, t: number, s: number, ssm: DiagonalSsm) => number) =>
    (ssm: DiagonalSsm): Matrix => {
      const kernel = diagonalKernel(ssm);
      const data = kernel.data.map((entry, i) =>
        edit(entry, Math.floor(i / kernel.cols), i % kernel.cols, ssm),
      );
      return { ...kernel, data };
    };

  test.each([
    ['no diagonal', edited((entry, t, s) => (s === t ? 0 : entry))],
    ['a mirror image above the diagonal', (ssm: DiagonalSsm) => mirrored(diagonalKernel(ssm))],
    ['a mask that is early by one', edited((entry, t, s) => (s < t - 1 || s === t ? entry : 0))],
    ['a decay too many', (ssm: DiagonalSsm) => diagonalKernel({ ...ssm, b: times(ssm.a, ssm.b) })],
    ['squared decays', (ssm: DiagonalSsm) => diagonalKernel({ ...ssm, a: times(ssm.a, ssm.a) })],
  ])('%s', (_name, ssmKernel) => {
    expect(failures({ ssmKernel }).join()).toMatch(ssmClaim);
  });
});

describe('tolerance', () => {
  test('none at all: rounding counts as rank', () => {
    expect(failures({ tolerance: () => 0 }).join()).toMatch(ssmClaim);
  });

  test.each([
    ['absolute, and as large as the entries', () => 1],
    ['one per cent of the largest', (_rows: number, _cols: number, largest: number) => 0.01 * largest],
  ])('%s: what is there is not counted', (_name, tolerance) => {
    expect(failures({ tolerance }).join()).toMatch(/the whole of P/);
  });
});

describe('exact witness', () => {
  const failed = (rank: typeof modularRank) => exactWitness(rank).checks.filter((check) => !check.passed);

  test('passes as it is', () => {
    expect(failed(modularRank)).toEqual([]);
  });

  test('fails with another exponent, or another prime', () => {
    const linear: typeof modularRank = (rows, cols, _entry, prime) =>
      modularRank(rows, cols, (i, j) => BigInt(i * j), prime);
    expect(failed(linear)).toHaveLength(2);
    const trapped: typeof modularRank = (rows, cols, entry) => modularRank(rows, cols, entry, 2_147_483_647n);
    expect(failed(trapped)).toHaveLength(1);
  });
});

function lowerPart(matrix: Matrix): Matrix {
  const { cols, data } = matrix;
  return { ...matrix, data: data.map((entry, i) => (i % cols <= Math.floor(i / cols) ? entry : 0)) };
}

function mirrored(matrix: Matrix): Matrix {
  const { cols, data } = matrix;
  return {
    ...matrix,
    data: data.map((_, i) => {
      const [t, s] = [Math.floor(i / cols), i % cols];
      return data[Math.max(t, s) * cols + Math.min(t, s)] as number;
    }),
  };
}

function times(x: Float64Array, y: Float64Array): Float64Array {
  return x.map((value, i) => value * (y[i] as number));
}
