import { describe, expect, test } from 'vitest';
import { ArgumentError, NonFiniteError, ShapeError } from '../errors.js';
import { matrixOf, normals, randomDiagonalSsm, spacedDecays } from '../testing/index.js';
import {
  constantDiagonalSsm,
  diagonalKernel,
  generatorRank,
  identityPlusCorner,
  kernelRank,
  type Matrix,
  matMul,
  rank,
  semiseparableOrder,
  semiseparableOrderAgainst,
  singularValues,
} from './index.js';
import { subMatrix } from './matrix.js';

const kernelOf = (seqLen: number, decays: readonly number[]): Matrix =>
  diagonalKernel(constantDiagonalSsm(seqLen, decays));

/** Causal softmax of Q K^T / sqrt(d) with standard normal Q and K. */
function softmaxAttention(seqLen: number, dK: number, seed: number): Matrix {
  const [q, k] = [normals(seed, seqLen * dK), normals(seed + 1, seqLen * dK)];
  const weights = matrixOf(seqLen, seqLen, (t, s) => {
    if (s > t) return 0;
    let score = 0;
    for (let n = 0; n < dK; n++) score += (q[t * dK + n] as number) * (k[s * dK + n] as number);
    return Math.exp(score / Math.sqrt(dK));
  });
  const sums = Array.from({ length: seqLen }, (_, t) =>
    weights.data.subarray(t * seqLen, (t + 1) * seqLen).reduce((sum, weight) => sum + weight),
  );
  return matrixOf(seqLen, seqLen, (t, s) => (weights.data[t * seqLen + s] as number) / (sums[t] as number));
}

const corner = (m: Matrix): Matrix => {
  const half = Math.floor(m.rows / 2);
  return subMatrix(m, half, m.rows, 0, half);
};

describe('singular values and rank', () => {
  test('of a product of thin factors', () => {
    const thin = (rows: number, cols: number, seed: number): Matrix => ({
      rows,
      cols,
      data: normals(seed, rows * cols),
    });
    const m = matMul(thin(30, 4, 1), thin(4, 12, 2));
    const values = singularValues(m);
    expect(values).toHaveLength(12);
    expect([...values]).toEqual([...values].sort((x, y) => y - x));
    expect(rank(m)).toBe(4);
    // The sum of squares is the square of the Frobenius norm.
    const square = m.data.reduce((sum, entry) => sum + entry * entry, 0);
    expect(values.reduce((sum, value) => sum + value * value, 0) / square).toBeCloseTo(1, 13);
  });

  test('known values, wide and tall', () => {
    const wide = matrixOf(2, 3, (i, j) => (i === j ? 3 - 5 * i : 0));
    const tall = matrixOf(3, 2, (i, j) => (i === j ? 3 - 5 * i : 0));
    for (const m of [wide, tall]) expect([...singularValues(m)]).toEqual([3, 2]);
  });

  test('the tolerance is absolute, and above it counts only what is larger', () => {
    const m = matrixOf(3, 3, (i, j) => (i === j ? ([1, 1e-9, 1e-15][i] as number) : 0));
    expect([rank(m), rank(m, 1e-9), rank(m, 0), rank(m, 2)]).toEqual([3, 1, 3, 0]);
    // max(3, 3) 2^-52 is 6.7e-16.
    expect(rank(matrixOf(2, 2, (i, j) => (i === j ? 1e-16 ** i : 0)))).toBe(1);
  });

  test('nothing and zeros have rank 0', () => {
    for (const [rows, cols] of [
      [0, 0],
      [0, 3],
      [3, 0],
      [2, 3],
    ] as const) {
      expect(rank(matrixOf(rows, cols, () => 0))).toBe(0);
    }
  });
});

describe('ordinary rank and semiseparable order are different numbers', () => {
  test('T = 40, N = 3: rank 40, order 3', () => {
    const kernel = kernelOf(40, [0.4, 0.6, 0.9]);
    expect([kernelRank(kernel), semiseparableOrder(kernel)]).toEqual([40, 3]);
  });

  test('two decays of three that are the same count once', () => {
    expect(semiseparableOrder(kernelOf(40, [0.5, 0.5, 0.8]))).toBe(2);
    expect(generatorRank([0.5, 0.5, 0.8], 40).rank).toBe(2);
  });

  test('decays that change with time: N through 16', () => {
    for (const dState of [1, 4, 16]) {
      const kernel = diagonalKernel(randomDiagonalSsm(64, dState, { low: 0.3, high: 0.95 }));
      expect(semiseparableOrder(kernel)).toBe(dState);
    }
  });

  test.each([1, 2, 3, 9, 10])('order is at most half the length, rounded up: T = %i', (seqLen) => {
    const kernel = diagonalKernel(randomDiagonalSsm(seqLen, 8));
    expect(semiseparableOrder(kernel)).toBe(Math.min(8, Math.ceil(seqLen / 2)));
  });

  test('the diagonal belongs to the blocks: without it an example of order 2 has order 1', () => {
    const kernel = identityPlusCorner(6);
    expect(semiseparableOrder(kernel)).toBe(2);
    const strict = Array.from({ length: 6 }, (_, t) => rank(subMatrix(kernel, t, 6, 0, t)));
    expect(Math.max(...strict)).toBe(1);
  });

  test('entries above the diagonal do not count for the order', () => {
    const kernel = kernelOf(12, [0.5]);
    const filled = matrixOf(12, 12, (t, s) => (s > t ? t * s * s + 1 : (kernel.data[t * 12 + s] as number)));
    expect(semiseparableOrder(filled)).toBe(1);
  });
});

describe('attention', () => {
  test('with equal scores: rank T, order 1', () => {
    const uniform = matrixOf(40, 40, (t, s) => (s <= t ? 1 / (t + 1) : 0));
    expect([kernelRank(uniform), semiseparableOrder(uniform)]).toEqual([40, 1]);
  });

  test('softmax of random scores: the corner has full rank, and so the order is T / 2', () => {
    const attention = softmaxAttention(80, 16, 3);
    expect(rank(corner(attention))).toBe(40);
    expect(semiseparableOrder(attention)).toBe(40);
    expect(kernelRank(attention)).toBeGreaterThanOrEqual(78);
  });

  test('keys of width 1: float64 sees a fraction of the exact rank', () => {
    const found = rank(corner(softmaxAttention(160, 1, 3)));
    expect(found).toBeGreaterThan(10);
    expect(found).toBeLessThan(30);
  });
});

describe('generatorRank', () => {
  test.each(Array.from({ length: 18 }, (_, i) => i + 1))('%i spaced decays', (dState) => {
    for (const seqLen of [32, 64]) {
      expect(generatorRank(spacedDecays(dState), seqLen)).toEqual({
        rank: dState,
        theory: dState,
        saturated: false,
      });
    }
  });

  test.each([20, 32])('%i spaced decays are beyond float64, and it says so', (dState) => {
    const { rank: found, theory, saturated } = generatorRank(spacedDecays(dState), 32);
    expect([theory, saturated]).toEqual([dState, true]);
    expect(found).toBeGreaterThanOrEqual(19);
    expect(found).toBeLessThanOrEqual(23);
  });

  test.each([4, 64, 128])('%i decays on a circle stay full', (dState) => {
    const decays = Array.from({ length: dState }, (_, n): [number, number] => {
      const angle = (2 * Math.PI * n) / dState;
      return [0.999 * Math.cos(angle), 0.999 * Math.sin(angle)];
    });
    expect(generatorRank(decays, 128)).toEqual({ rank: dState, theory: dState, saturated: false });
  });

  test('at most T, equal decays once, 0 is 0', () => {
    expect(generatorRank([0.5, 0.8, 0.9], 2)).toEqual({ rank: 2, theory: 2, saturated: false });
    expect(generatorRank([0.5, [0.5, 0], [0.5, 0.1], [0.5, -0.1]], 8)).toMatchObject({ rank: 3, theory: 3 });
    expect(generatorRank([0, -0], 4)).toMatchObject({ rank: 1, theory: 1 });
    expect(generatorRank([], 4)).toEqual({ rank: 0, theory: 0, saturated: false });
  });

  test('refuses powers that overflow', () => {
    expect(() => generatorRank([1e200], 4)).toThrow(NonFiniteError);
    expect(() => generatorRank([0.5], -1)).toThrow(ArgumentError);
  });
});

describe('semiseparableOrderAgainst', () => {
  test.each([1, 4, 10])('N = %i spaced decays at T = 64: right, and clear of rounding', (dState) => {
    const kernel = kernelOf(64, spacedDecays(dState));
    expect(semiseparableOrderAgainst(kernel, dState)).toEqual({
      rank: dState,
      theory: dState,
      saturated: false,
    });
  });

  test.each([
    [12, 11],
    [16, 12],
  ])('N = %i: order %i found, reported as saturated', (dState, found) => {
    const kernel = kernelOf(64, spacedDecays(dState));
    expect(semiseparableOrderAgainst(kernel, dState)).toEqual({
      rank: found,
      theory: dState,
      saturated: true,
    });
  });

  test('agrees with semiseparableOrder', () => {
    for (const kernel of [identityPlusCorner(9), softmaxAttention(21, 4, 1), kernelOf(30, [0.3, 0.7])]) {
      expect(semiseparableOrderAgainst(kernel, 1).rank).toBe(semiseparableOrder(kernel));
    }
  });
});

describe('refuses', () => {
  const wide = matrixOf(2, 3, () => 1);
  test.each<[string, () => unknown, new (...args: never[]) => Error, string]>([
    [
      'a kernel that is not square',
      () => kernelRank(wide),
      ShapeError,
      'kernelRank: m: expected a square matrix',
    ],
    ['an order of what is not square', () => semiseparableOrder(wide), ShapeError, 'semiseparableOrder: m'],
    [
      'a negative tolerance',
      () => rank(wide, -1),
      ArgumentError,
      'rank: tolerance: expected a finite number of 0 or more',
    ],
    [
      'a tolerance that is no number',
      () => semiseparableOrder(kernelOf(3, [1]), Number.NaN),
      ArgumentError,
      'got NaN',
    ],
    ['infinite entries', () => rank(matrixOf(1, 1, () => 1 / 0)), NonFiniteError, 'singularValues: m'],
    [
      'a theory that is no count',
      () => semiseparableOrderAgainst(kernelOf(3, [1]), 0.5),
      ArgumentError,
      'theory',
    ],
  ])('%s', (_name, call, error, message) => {
    expect(call).toThrow(error);
    expect(call).toThrow(message);
  });
});
