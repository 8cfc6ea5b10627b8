/** Each claim of the algebra experiments must fail when the mathematics under it is broken. */
import {
  type DiagonalSsm,
  diagonalKernel,
  generatorRank,
  headKernels,
  type Matrix,
  newColumns,
  oneSemiseparable,
  rank,
  runDiagonalSsm,
  semiseparableOrder,
  singleMaskDual,
  subMatrix,
  vandermonde,
  widthDual,
} from '@statespace/ssd-core/structure';
import { describe, expect, test } from 'vitest';
import type { Findings } from '../../experiment/result.js';
import { dualCondition } from './dual-condition.js';
import { type DualMathematics, dualMathematics } from './dual-mathematics.js';
import { randomDuals } from './dual-random.js';
import { type DualityMathematics, dualityMathematics } from './duality-mathematics.js';
import { scalarEquivalence } from './exp1-scalar-equivalence.js';
import { diagonalEquivalence } from './exp2-diagonal-equivalence.js';
import { timeVaryingEquivalence } from './exp2b-timevarying-diagonal.js';
import { rankFindings, rankGrid } from './exp3-rank-vs-state-dim.js';
import { rankCurve, rankCurveFindings } from './exp3b-rank-vs-state-dim.js';

type Part = keyof DualityMathematics;

/** The experiments in small, and the parts of the mathematics that each rests on. */
const experiments: Record<string, { run: (maths: DualityMathematics) => Findings; parts: readonly Part[] }> =
  {
    exp1: {
      run: (maths) => scalarEquivalence({ seqLen: 12, a: 0.9, b: 1, c: 1, seed: 1 }, maths),
      parts: ['mask', 'recurrence', 'tolerance'],
    },
    exp2: {
      run: (maths) => diagonalEquivalence({ seqLen: 16, seed: 2, decays: [0.5, 0.5, 0.8] }, maths),
      parts: ['kernel', 'heads', 'recurrence', 'generatorRank', 'order', 'kernelRank', 'tolerance'],
    },
    exp2b: {
      run: (maths) => timeVaryingEquivalence({ seqLen: 12, dState: 3, seed: 3 }, maths),
      parts: ['kernel', 'heads', 'recurrence', 'order', 'tolerance'],
    },
    exp3: {
      run: (maths) =>
        rankFindings([...rankGrid({ seqLens: [9], seeds: [0], seed: 0, randomN: 3 }, maths)], maths),
      parts: ['kernel', 'recurrence', 'generatorRank', 'order', 'kernelRank', 'tolerance'],
    },
    exp3b: {
      run: (maths) =>
        rankCurveFindings(
          [...rankCurve({ dStates: [1, 3], seqLen: 12, seeds: [0, 1], seed: 0 }, maths)],
          maths,
        ),
      parts: ['kernel', 'recurrence', 'generatorRank', 'order', 'tolerance'],
    },
  };

/** `matrix` with every entry changed by its place. */
function edited(matrix: Matrix, edit: (entry: number, t: number, s: number) => number): Matrix {
  const { cols, data } = matrix;
  return { ...matrix, data: data.map((entry, i) => edit(entry, Math.floor(i / cols), i % cols)) };
}

const withoutDiagonal = (matrix: Matrix): Matrix => edited(matrix, (entry, t, s) => (s === t ? 0 : entry));
const earlyByOne = (matrix: Matrix): Matrix => edited(matrix, (entry, t, s) => (s === t - 1 ? 0 : entry));
const lateByOne = (matrix: Matrix): Matrix =>
  edited(matrix, (entry, t, s) => (s === t + 1 ? (matrix.data[t * matrix.cols + t] as number) : entry));
const mirrored = (matrix: Matrix): Matrix =>
  edited(matrix, (_, t, s) => matrix.data[Math.max(t, s) * matrix.cols + Math.min(t, s)] as number);
const times = (x: Float64Array, y: Float64Array): Float64Array =>
  x.map((value, i) => value * (y[i] as number));

const looseRank = (matrix: Matrix): number => rank(matrix, 0.6);

/** max_t rank(M[t:, :t+1]) as some other count of rank sees it. */
const orderBy =
  (count: (matrix: Matrix) => number) =>
  (matrix: Matrix): number => {
    const { rows } = matrix;
    return Math.max(...Array.from({ length: rows }, (_, t) => count(subMatrix(matrix, t, rows, 0, t + 1))));
  };

/** Broken mathematics, by the part that is broken. */
const mutants: { [P in Part]: Record<string, DualityMathematics[P]> } = {
  mask: {
    'a decay too many': (a) => oneSemiseparable(a.map((_, t) => (t === 0 ? 0 : (a[t] as number) ** 2))),
    'no diagonal': (a) => withoutDiagonal(oneSemiseparable(a)),
    'early by one': (a) => earlyByOne(oneSemiseparable(a)),
    'late by one': (a) => lateByOne(oneSemiseparable(a)),
    'not causal': (a) => mirrored(oneSemiseparable(a)),
    'every decay 1': (a) => oneSemiseparable(a.map(() => 1)),
  },
  kernel: {
    'a decay too many': (ssm) => diagonalKernel({ ...ssm, b: times(ssm.a, ssm.b) }),
    'squared decays': (ssm) => diagonalKernel({ ...ssm, a: times(ssm.a, ssm.a) }),
    'no diagonal': (ssm) => withoutDiagonal(diagonalKernel(ssm)),
    'early by one': (ssm) => earlyByOne(diagonalKernel(ssm)),
    'late by one': (ssm) => lateByOne(diagonalKernel(ssm)),
    'not causal': (ssm) => mirrored(diagonalKernel(ssm)),
    'one state left out': (ssm) => {
      const c = ssm.c.map((value, i) => (i % ssm.dState === 0 ? 0 : value));
      return diagonalKernel({ ...ssm, c });
    },
  },
  heads: {
    'one left out': (ssm) =>
      headKernels(ssm).map((head, n) => edited(head, (entry) => (n === 0 ? 0 : entry))),
    'one too few': (ssm) => headKernels(ssm).slice(1),
    'a diagonal too few': (ssm) =>
      headKernels(ssm).map((head, n) => (n === 0 ? withoutDiagonal(head) : head)),
    'squared decays': (ssm) => headKernels({ ...ssm, a: times(ssm.a, ssm.a) }),
    'late by one': (ssm) => headKernels(ssm).map(lateByOne),
  },
  recurrence: {
    'outputs before the update': (ssm, u) => {
      const y = runDiagonalSsm(ssm, u);
      return y.map((_, t) => (t === 0 ? 0 : (y[t - 1] as number)));
    },
    'squared decays': (ssm, u) => runDiagonalSsm({ ...ssm, a: times(ssm.a, ssm.a) }, u),
    'decayed inputs': (ssm, u) => runDiagonalSsm({ ...ssm, b: times(ssm.a, ssm.b) }, u),
    'no numbers': (ssm, u) => runDiagonalSsm(ssm, u).fill(Number.NaN),
  },
  generatorRank: {
    'multiples instead of powers': (decays, seqLen) =>
      rank(edited(vandermonde(decays, seqLen), (_, k, n) => k * (decays[n] as number))),
    'a loose tolerance': (decays, seqLen) => rank(vandermonde(decays, seqLen), 1.2),
    'the number of decays and one': (decays) => decays.length + 1,
    'one too few': (decays, seqLen) => generatorRank(decays, seqLen).rank - 1,
  },
  order: {
    'ordinary rank': (matrix) => rank(matrix),
    'a loose tolerance': orderBy(looseRank),
    'no tolerance': orderBy((block) => Math.min(block.rows, block.cols)),
    'one too few': (matrix) => semiseparableOrder(matrix) - 1,
  },
  kernelRank: {
    'the order': (matrix) => semiseparableOrder(matrix),
    'a loose tolerance': (matrix) => rank(matrix, 3),
  },
  tolerance: { none: 0, loose: 1e-6, 'no number': Number.NaN },
};

const pairs = Object.entries(experiments).flatMap(([experiment, { parts }]) =>
  parts.flatMap((part) => Object.keys(mutants[part]).map((mutant) => [experiment, part, mutant] as const)),
);

const failed = ({ details }: Findings): string[] =>
  details.filter(({ passed }) => !passed).map(({ claim }) => claim);

describe.each(Object.entries(experiments))('%s', (_name, { run }) => {
  test('passes with the right mathematics', () => {
    expect(failed(run(dualityMathematics))).toEqual([]);
  });
});

test.each(pairs)('%s fails with a broken %s: %s', (experiment, part, mutant) => {
  const maths = { ...dualityMathematics, [part]: mutants[part][mutant] };
  expect(failed((experiments[experiment] as (typeof experiments)['exp1']).run(maths))).not.toEqual([]);
});

describe('dual-condition', () => {
  const run = (broken: Partial<DualMathematics>): string[] => {
    const maths = { ...dualMathematics, ...broken };
    const params = { seqLens: [12], dState: 3, kernels: 2, betas: [0.5, 1, 2], seed: 0 };
    return failed(dualCondition(params, [...randomDuals(params, maths)], maths));
  };

  test('passes with the right mathematics', () => {
    expect(run({})).toEqual([]);
  });

  /** New columns by ranks of M[:, :t] and M[:, :t+1], rows above t included. */
  const columnsOfWhole = (matrix: Matrix): number[] => {
    const { rows, cols } = matrix;
    const ranks = Array.from({ length: cols + 1 }, (_, t) => rank(subMatrix(matrix, 0, rows, 0, t)));
    return ranks.slice(1).flatMap((found, t) => (found > (ranks[t] as number) ? [t] : []));
  };
  const zerosAbove = (matrix: Matrix) => ({ matrix, rank: rank(matrix) });
  const orderWithoutDiagonal = (matrix: Matrix): number => {
    const { rows } = matrix;
    return Math.max(0, ...Array.from({ length: rows }, (_, t) => rank(subMatrix(matrix, t, rows, 0, t))));
  };
  const swapped = (ssm: DiagonalSsm) => {
    const { q, k } = singleMaskDual(ssm);
    return { q: k, k: q };
  };
  const neverRefuses = ({ dState, ...ssm }: DiagonalSsm) => {
    const seqLen = Math.min(ssm.seqLen, 512);
    const [x, y, z] = [ssm.a, ssm.b, ssm.c].map((values) => values.subarray(0, seqLen * dState)) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    return singleMaskDual({ seqLen, dState, a: x, b: y, c: z });
  };

  test.each<[string, Partial<DualMathematics>]>([
    ['kernel: squared decays', { kernel: (ssm) => diagonalKernel({ ...ssm, a: times(ssm.a, ssm.a) }) }],
    ['kernel: no diagonal', { kernel: (ssm) => withoutDiagonal(diagonalKernel(ssm)) }],
    ['kernel: late by one', { kernel: (ssm) => lateByOne(diagonalKernel(ssm)) }],
    ['new columns: rows above the step count', { newColumns: columnsOfWhole }],
    ['new columns: one left out', { newColumns: (...args) => newColumns(...args).slice(1) }],
    ['new columns: a loose tolerance', { newColumns: (matrix) => newColumns(matrix, 2) }],
    ['completion: zeros stay above the diagonal', { completion: zerosAbove }],
    ['dual: a width too many', { widthDual: (matrix, width) => widthDual(matrix, width + 1) }],
    ['dual: a width too few', { widthDual: (matrix, width) => widthDual(matrix, Math.max(1, width - 1)) }],
    [
      'dual: one block',
      {
        widthDual: (matrix, width) => ({
          ...widthDual(matrix, width),
          blocks: [{ begin: 0, end: matrix.rows }],
        }),
      },
    ],
    ['order: the diagonal excluded', { order: orderWithoutDiagonal }],
    ['single mask: C and B swapped', { singleMaskDual: swapped }],
    ['single mask: never refused', { singleMaskDual: neverRefuses }],
    [
      'DeltaNet: beta halved',
      {
        householderKernel: (seqLen, dState, beta, generator) =>
          dualMathematics.householderKernel(seqLen, dState, beta / 2, generator),
      },
    ],
    ['tolerance: none', { tolerance: 0 }],
    ['tolerance: loose', { tolerance: 1e-3 }],
  ])('fails with a broken %s', (_name, broken) => {
    expect(run(broken)).not.toEqual([]);
  });
});
