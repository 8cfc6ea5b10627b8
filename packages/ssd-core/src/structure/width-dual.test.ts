import { describe, expect, test } from 'vitest';
import { ArgumentError, NonFiniteError, ShapeError } from '../errors.js';
import {
  binaryTriangles,
  matrixOf,
  maxDifference,
  normalSource,
  randomDiagonalSsm,
  spacedDecays,
} from '../testing/index.js';
import {
  bidiagonalExample,
  causalProduct,
  completeLowRank,
  constantDiagonalSsm,
  diagonalBlocks,
  diagonalKernel,
  householderSsmKernel,
  identityPlusCorner,
  type Matrix,
  matMul,
  newColumns,
  rank,
  singleMaskDual,
  type WidthDual,
  widthDual,
} from './index.js';

/** max|L o Q K^T - M| / max(1, max|M|), by whole matrices. */
function errorOf(m: Matrix, { blocks, q, k }: WidthDual): number {
  if (q === undefined || k === undefined) return Number.POSITIVE_INFINITY;
  const product = causalProduct(q, k);
  const masked = matrixOf(m.rows, m.cols, (t, s) =>
    blocks.some(({ begin, end }) => begin <= s && t < end) ? (product.data[t * m.cols + s] as number) : 0,
  );
  return maxDifference(masked, m) / Math.max(1, ...m.data.map(Math.abs));
}

function transposed({ rows, cols, data }: Matrix): Matrix {
  return matrixOf(cols, rows, (i, j) => data[j * cols + i] as number);
}

describe('Theorem 4.1 on all 1,024 binary triangles of size 4', () => {
  test('a dual exists from the most new columns of a block on, and gives the matrix', () => {
    for (const m of binaryTriangles()) {
      const columns = newColumns(m);
      const counts = diagonalBlocks(m).map(
        ({ begin, end }) => columns.filter((t) => begin <= t && t < end).length,
      );
      const least = Math.max(1, ...counts);
      for (let width = 1; width <= 4; width++) {
        const dual = widthDual(m, width);
        expect(dual.exists).toBe(width >= least);
        expect(dual.newColumns.map((found) => found.length)).toEqual(counts);
        if (!dual.exists) {
          expect([dual.q, dual.maxError]).toEqual([undefined, Number.POSITIVE_INFINITY]);
          continue;
        }
        expect([dual.q?.rows, dual.q?.cols, dual.k?.cols]).toEqual([4, width, width]);
        expect(errorOf(m, dual)).toBeLessThan(1e-14);
        expect(Math.abs(dual.maxError - errorOf(m, dual))).toBeLessThan(1e-15);
      }
    }
  });

  test('the completion has as its rank the number of new columns, and keeps the matrix', () => {
    for (const m of binaryTriangles()) {
      const { matrix, rank: found, q, k } = completeLowRank(m);
      expect([found, rank(matrix), q.cols, k.cols]).toEqual(Array(4).fill(newColumns(m).length));
      expect(matrixOf(4, 4, (t, s) => (s > t ? 0 : (matrix.data[t * 4 + s] as number)))).toEqual(m);
      expect(maxDifference(matMul(q, transposed(k)), matrix)).toBeLessThan(1e-14);
    }
  });
});

describe('kernels of diagonal SSMs', () => {
  // The bounds are a hundred times what comes out: rounding. Least squares on the first N columns leaves up to 1e-7 with
  // decays U(0.3, 0.95), and 1e-2 with the constant ones below.
  test.each([
    [16, 2],
    [64, 4],
    [256, 4],
    [256, 8],
  ])('decays U(0.92, 0.999), T = %i, N = %i', (seqLen, dState) => {
    const kernel = diagonalKernel(randomDiagonalSsm(seqLen, dState, { seed: seqLen }));
    const dual = widthDual(kernel, dState);
    expect(dual).toMatchObject({ exists: true, blocks: [{ begin: 0, end: seqLen }] });
    expect(errorOf(kernel, dual)).toBeLessThan(1e-12);
    expect(dual.maxError).toBe(errorOf(kernel, dual));
    expect(widthDual(kernel, dState - 1).exists).toBe(false);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('32 of them, T = 48, part %i', (part) => {
    for (let i = 0; i < 4; i++) {
      const kernel = diagonalKernel(randomDiagonalSsm(48, 1 + part, { seed: 100 * part + i }));
      expect(widthDual(kernel, 1 + part).maxError).toBeLessThan(1e-12);
    }
  });

  test('fast decays U(0.3, 0.95): no product of decays is divided by', () => {
    const kernel = diagonalKernel(randomDiagonalSsm(256, 4, { low: 0.3, high: 0.95 }));
    expect(widthDual(kernel, 4).maxError).toBeLessThan(1e-10);
  });

  test('constant decays far apart, 0.92 ... 0.999, at T = 256', () => {
    const kernel = diagonalKernel(constantDiagonalSsm(256, [0.92, 0.95, 0.999]));
    expect(widthDual(kernel, 3).maxError).toBeLessThan(2e-12);
  });

  test('where the single mask is refused: 0.1^399 is no float64', () => {
    const ssm = constantDiagonalSsm(400, [0.1, 0.8]);
    expect(() => singleMaskDual(ssm)).toThrow('underflow');
    expect(widthDual(diagonalKernel(ssm), 2).maxError).toBeLessThan(1e-13);
  });

  test('decays of either sign', () => {
    const kernel = diagonalKernel(randomDiagonalSsm(64, 3, { low: -0.99, high: -0.9 }));
    expect(widthDual(kernel, 3).maxError).toBeLessThan(1e-12);
  });

  // The generators of close decays are of rank 4 or so to rounding: what cannot be told apart needs no width either.
  test.each([5, 8, 12])('N = %i close decays: columns that rounding makes new do no harm', (dState) => {
    const decays = Array.from({ length: dState }, (_, n) => 0.92 + (0.079 * n) / (dState - 1));
    const kernel = diagonalKernel(constantDiagonalSsm(64, decays));
    for (const tolerance of [undefined, 1e-12, 1e-10]) {
      const { exists, maxError } = widthDual(kernel, 64, tolerance);
      expect(exists).toBe(true);
      expect(maxError).toBeLessThan(1e-9);
    }
    expect(widthDual(kernel, 64).maxError).toBeLessThan(1e-12);
  });
});

describe('other kernels', () => {
  test('bidiagonal: width 3, not 2', () => {
    expect(widthDual(bidiagonalExample(), 2).exists).toBe(false);
    expect(widthDual(bidiagonalExample(), 3).maxError).toBeLessThan(1e-14);
  });

  test.each([4, 16, 32])('I + E_{T,1}, T = %i: width T - 1, not T - 2', (seqLen) => {
    const kernel = identityPlusCorner(seqLen);
    expect(widthDual(kernel, seqLen - 2).exists).toBe(false);
    expect(widthDual(kernel, seqLen - 1).maxError).toBeLessThan(1e-14);
  });

  test.each([0.5, 1, 2])('DeltaNet, beta = %d: width of its new columns', (beta) => {
    const kernel = householderSsmKernel(16, 3, beta, normalSource(5));
    const columns = newColumns(kernel, 1e-12).length;
    expect(widthDual(kernel, columns, 1e-12).maxError).toBeLessThan(1e-11);
    expect(widthDual(kernel, columns - 1, 1e-12).exists).toBe(false);
    expect(rank(completeLowRank(kernel, 1e-12).matrix, 1e-10)).toBe(columns);
  });

  test('blocks share the width', () => {
    const part = diagonalKernel(randomDiagonalSsm(10, 2));
    const m = matrixOf(20, 20, (t, s) =>
      Math.floor(t / 10) === Math.floor(s / 10) ? (part.data[(t % 10) * 10 + (s % 10)] as number) : 0,
    );
    const dual = widthDual(m, 2);
    expect(dual).toMatchObject({
      exists: true,
      newColumns: [
        [0, 1],
        [10, 11],
      ],
    });
    expect(errorOf(m, dual)).toBeLessThan(1e-13);
    expect(completeLowRank(m).rank).toBe(4);
    expect(rank(completeLowRank(m).matrix)).toBe(4);
  });

  test('nothing, and zeros', () => {
    expect(
      widthDual(
        matrixOf(0, 0, () => 0),
        1,
      ),
    ).toMatchObject({ exists: true, blocks: [], maxError: 0 });
    const zeros = matrixOf(3, 3, () => 0);
    expect(widthDual(zeros, 1)).toMatchObject({ exists: true, maxError: 0 });
    expect(completeLowRank(zeros)).toMatchObject({ rank: 0, matrix: zeros });
  });

  test('a nonzero above the diagonal has no dual', () => {
    const m = matrixOf(3, 3, (t, s) => (t === s || s === t + 1 ? 1 : 0));
    expect(widthDual(m, 3)).toMatchObject({ exists: false, maxError: Number.POSITIVE_INFINITY });
  });
});

describe('completion of a larger kernel', () => {
  test('rank N, from N = 4 spaced decays', () => {
    const kernel = diagonalKernel(constantDiagonalSsm(12, spacedDecays(4)));
    const { matrix, rank: found } = completeLowRank(kernel);
    expect(found).toBe(4);
    // Above the diagonal entries grow as 0.15^-11 = 1e9, and their rounding with them.
    expect(rank(matrix, 1e-4)).toBeLessThanOrEqual(4);
    expect(rank(kernel)).toBe(12);
  });

  test('is the exponential continued: lambda^(t-s) above the diagonal, too', () => {
    const { matrix } = completeLowRank(diagonalKernel(constantDiagonalSsm(8, [0.5])));
    expect(
      maxDifference(
        matrix,
        matrixOf(8, 8, (t, s) => 2 ** (s - t)),
      ),
    ).toBeLessThan(1e-12);
  });
});

describe('entries beyond float64', () => {
  const kernel = diagonalKernel(constantDiagonalSsm(160, [1e-9, 1e-8]));

  test('a dual exists, and is not given where no float64 holds it', () => {
    // 1e-9^159: the column spans 2^4700.
    const { exists, q, k, maxError } = widthDual(kernel, 2);
    expect({ exists, q, k, maxError }).toEqual({
      exists: true,
      q: undefined,
      k: undefined,
      maxError: Number.POSITIVE_INFINITY,
    });
    expect(() => completeLowRank(kernel)).toThrow(ArgumentError);
    expect(() => completeLowRank(kernel)).toThrow(
      'completeLowRank: m: expected a completion whose factors float64 can hold',
    );
  });
});

describe('refuses', () => {
  const kernel = bidiagonalExample();
  test.each<[string, () => unknown, new (...args: never[]) => Error, string]>([
    [
      'what is not square',
      () =>
        widthDual(
          matrixOf(2, 3, () => 1),
          1,
        ),
      ShapeError,
      'widthDual: m',
    ],
    [
      'no width',
      () => widthDual(kernel, 0),
      ArgumentError,
      'widthDual: width: expected an integer of 1 or more, got 0',
    ],
    ['a negative tolerance', () => widthDual(kernel, 1, -1), ArgumentError, 'widthDual: tolerance'],
    [
      'entries that are no numbers',
      () => completeLowRank(matrixOf(1, 1, () => Number.NaN)),
      NonFiniteError,
      'completeLowRank: m',
    ],
  ])('%s', (_name, call, error, message) => {
    expect(call).toThrow(error);
    expect(call).toThrow(message);
  });
});
