import { describe, expect, test } from 'vitest';
import { ArgumentError, ShapeError } from '../errors.js';
import { matrixOf, maxDifference, normalSource, normals, randomDiagonalSsm } from '../testing/index.js';
import {
  bidiagonalExample,
  bidiagonalSsm,
  denseKernel,
  diagonalKernel,
  diagonalPlusLowRank,
  headKernels,
  householderSsmKernel,
  identityPlusCorner,
  identityPlusCornerSsm,
  newColumns,
  semiseparableOrder,
} from './index.js';

/** Rounding leaves I - k k^T regular by 2^-53, and a later step can magnify that a hundredfold. */
const tolerance = 1e-12;

describe('denseKernel', () => {
  test('of diagonal transitions is the diagonal kernel', () => {
    const { seqLen, dState, a, b, c } = randomDiagonalSsm(9, 3);
    const zeros = new Float64Array(a.length);
    const transitions = diagonalPlusLowRank({ seqLen, dState }, a, zeros, zeros);
    const dense = denseKernel({ seqLen, dState, transitions, b, c });
    expect(maxDifference(dense, diagonalKernel({ seqLen, dState, a, b, c }))).toBeLessThan(1e-14);
  });

  test('applies A_t ... A_{s+1} in this order', () => {
    const transitions = Float64Array.of(9, 9, 9, 9, 1, 2, 3, 4, 0, 1, 1, 0);
    const b = Float64Array.of(1, 0, 0, 1, 5, 7);
    const c = Float64Array.of(2, 3, 1, 10, 1, 100);
    // A_1 b_0 = (1, 3), A_2 A_1 b_0 = (3, 1), A_2 b_1 = (1, 0).
    const wanted = Float64Array.of(2, 0, 0, 31, 10, 0, 103, 1, 705);
    expect(denseKernel({ seqLen: 3, dState: 2, transitions, b, c }).data).toEqual(wanted);
  });

  test('diagonal plus low rank', () => {
    const made = diagonalPlusLowRank(
      { seqLen: 1, dState: 2 },
      Float64Array.of(5, 7),
      Float64Array.of(1, 2),
      Float64Array.of(3, 4),
    );
    expect(made).toEqual(Float64Array.of(2, -4, -6, -1));
  });

  test('generic diagonal plus low rank, and generic dense transitions, have N new columns', () => {
    const [seqLen, dState] = [20, 3];
    const draw = (seed: number) => normals(seed, seqLen * dState).map((value) => value / 2);
    const lowRank = diagonalPlusLowRank({ seqLen, dState }, draw(1), draw(2), draw(3));
    const dense = normals(4, seqLen * dState * dState).map((value) => value / 2);
    for (const transitions of [lowRank, dense]) {
      const kernel = denseKernel({ seqLen, dState, transitions, b: draw(5), c: draw(6) });
      expect(semiseparableOrder(kernel)).toBe(3);
      expect(newColumns(kernel, tolerance)).toEqual([0, 1, 2]);
    }
  });
});

describe('DeltaNet transitions I - beta k k^T at T = 16', () => {
  test.each([
    [0.5, [2, 3, 4]],
    [1, [15, 14, 13]],
    [2, [2, 3, 4]],
  ])('beta = %d: new columns for N = 2, 3, 4', (beta, wanted) => {
    for (const seed of [1, 2, 3]) {
      const kernels = [2, 3, 4].map((dState) => householderSsmKernel(16, dState, beta, normalSource(seed)));
      expect(kernels.map((kernel) => newColumns(kernel, tolerance).length)).toEqual(wanted);
      expect(kernels.map((kernel) => semiseparableOrder(kernel, tolerance))).toEqual([2, 3, 4]);
    }
  });

  test('the key is a unit vector: beta = 2 reflects, and loses no norm', () => {
    const ones = { normal: (count: number) => new Float64Array(count).fill(1) };
    // k = (1, 1) / sqrt(2), so A = -[[0, 1], [1, 0]]; b = c = (1, 1): M[t,s] = 2 (-1)^(t-s).
    const wanted = matrixOf(5, 5, (t, s) => (s > t ? 0 : (t - s) % 2 === 0 ? 2 : -2));
    expect(maxDifference(householderSsmKernel(5, 2, 2, ones), wanted)).toBeLessThan(1e-15);
  });
});

describe('diagonal counter-examples', () => {
  test('the bidiagonal matrix is a sum of two heads', () => {
    const wanted = matrixOf(4, 4, (t, s) => (t === s ? 2 : t === s + 1 ? 1 : 0));
    expect(bidiagonalExample()).toEqual(wanted);
    expect(headKernels(bidiagonalSsm()).map((head) => semiseparableOrder(head))).toEqual([1, 1]);
  });

  test.each([2, 5, 32])('I + E_{T,1} of T = %i is the kernel of its SSM', (seqLen) => {
    const wanted = matrixOf(seqLen, seqLen, (t, s) => (t === s || (t === seqLen - 1 && s === 0) ? 1 : 0));
    expect(identityPlusCorner(seqLen)).toEqual(wanted);
    expect([...identityPlusCornerSsm(seqLen).a.subarray(0, 2)]).toEqual([0, 1]);
  });
});

test('refuses', () => {
  expect(() => identityPlusCorner(1)).toThrow(ArgumentError);
  expect(() => householderSsmKernel(4, 0, 1, normalSource(1))).toThrow('householderSsmKernel: dState');
  expect(() => householderSsmKernel(4, 2, Number.NaN, normalSource(1))).toThrow(ArgumentError);
  const ssm = {
    seqLen: 2,
    dState: 1,
    transitions: new Float64Array(1),
    b: new Float64Array(2),
    c: new Float64Array(2),
  };
  expect(() => denseKernel(ssm)).toThrow(ShapeError);
  expect(() => denseKernel(ssm)).toThrow('denseKernel: ssm.transitions: expected 2 entries, got 1');
  const two = new Float64Array(2);
  expect(() => diagonalPlusLowRank({ seqLen: 2, dState: 1 }, two, two, new Float64Array(3))).toThrow(
    'diagonalPlusLowRank: q: expected 2 entries, got 3',
  );
});
