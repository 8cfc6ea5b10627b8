import { describe, expect, test } from 'vitest';
import { ArgumentError, ShapeError } from '../errors.js';
import { binaryTriangles, matrixOf, randomDiagonalSsm } from '../testing/index.js';
import {
  bidiagonalExample,
  diagonalBlocks,
  diagonalKernel,
  identityPlusCorner,
  type Matrix,
  modularRank,
  newColumns,
  semiseparableOrder,
} from './index.js';
import { subMatrix } from './matrix.js';

/** New columns of an integer matrix by exact ranks; the minors of these matrices are far below the prime. */
function exactNewColumns({ rows, cols, data }: Matrix): number[] {
  const rankOf = (t: number, width: number): number =>
    modularRank(rows - t, width, (i, j) => BigInt(data[(t + i) * cols + j] as number), 1_000_003n);
  return Array.from({ length: rows }, (_, t) => t).filter((t) => rankOf(t, t + 1) > rankOf(t, t));
}

describe('newColumns', () => {
  test('all 1,024 binary triangles of size 4: as exact ranks say', () => {
    for (const m of binaryTriangles()) expect(newColumns(m)).toEqual(exactNewColumns(m));
  });

  test('both ranks are of the rows that remain', () => {
    // Column 1 is not in the span of column 0, but M[1:,1] is in that of M[1:,0].
    expect(
      newColumns(
        matrixOf(
          2,
          2,
          (t, s) =>
            [
              [5, 0],
              [1, 1],
            ][t]![s]!,
        ),
      ),
    ).toEqual([0]);
    expect(
      newColumns(
        matrixOf(
          2,
          2,
          (t, s) =>
            [
              [5, 0],
              [0, 1],
            ][t]![s]!,
        ),
      ),
    ).toEqual([0, 1]);
  });

  test('the bidiagonal matrix: order 2, three new columns', () => {
    expect(newColumns(bidiagonalExample())).toEqual([0, 1, 2]);
    expect(semiseparableOrder(bidiagonalExample())).toBe(2);
  });

  test.each(Array.from({ length: 29 }, (_, i) => i + 4))(
    'I + E_{T,1}, T = %i: order 2, T - 1 new',
    (seqLen) => {
      const kernel = identityPlusCorner(seqLen);
      expect(semiseparableOrder(kernel)).toBe(2);
      // The last column is a multiple of the first, from the last row on.
      expect(newColumns(kernel)).toEqual(Array.from({ length: seqLen - 1 }, (_, t) => t));
    },
  );

  test.each([1, 3, 8])('the first N = %i columns of a generic kernel', (dState) => {
    const kernel = diagonalKernel(randomDiagonalSsm(40, dState));
    expect(newColumns(kernel)).toEqual(Array.from({ length: dState }, (_, n) => n));
  });

  test('columns are new up to scale, and zeros are not', () => {
    expect(newColumns(matrixOf(3, 3, (t, s) => (t === s ? 1e-30 ** s : 0)))).toEqual([0, 1, 2]);
    expect(newColumns(matrixOf(3, 3, () => 0))).toEqual([]);
    expect(newColumns(matrixOf(0, 0, () => 0))).toEqual([]);
  });

  test('a tolerance hides what is small', () => {
    const m = matrixOf(
      2,
      2,
      (t, s) =>
        [
          [1, 0],
          [1, 1e-3],
        ][t]![s]!,
    );
    const blocked = matrixOf(3, 3, (t, s) => (s > t ? 0 : [[1], [1, 1], [1, 1 + 1e-3, 1]][t]![s]!));
    expect(newColumns(m)).toEqual([0]);
    expect(newColumns(blocked)).toEqual([0, 1]);
    expect(newColumns(blocked, 1e-2)).toEqual([0]);
    expect(newColumns(blocked, 5)).toEqual([]);
  });

  test('entries above the diagonal do not count', () => {
    const kernel = diagonalKernel(randomDiagonalSsm(10, 2));
    const filled = matrixOf(10, 10, (t, s) => (s > t ? s * s - t : (kernel.data[t * 10 + s] as number)));
    expect(newColumns(filled)).toEqual([0, 1]);
  });
});

describe('diagonalBlocks', () => {
  /** Cuts by the definition: M[t:, :t] = 0. */
  function blocksByDefinition(m: Matrix) {
    const cuts = Array.from({ length: m.rows }, (_, t) => t).filter((t) =>
      subMatrix(m, t, m.rows, 0, t).data.every((entry) => entry === 0),
    );
    return cuts.map((begin, i) => ({ begin, end: cuts[i + 1] ?? m.rows }));
  }

  test('all 1,024 binary triangles of size 4', () => {
    for (const m of binaryTriangles()) expect(diagonalBlocks(m)).toEqual(blocksByDefinition(m));
  });

  test('one block, many, none', () => {
    expect(diagonalBlocks(identityPlusCorner(5))).toEqual([{ begin: 0, end: 5 }]);
    expect(diagonalBlocks(matrixOf(3, 3, (t, s) => (t === s ? 1 : 0)))).toHaveLength(3);
    expect(diagonalBlocks(matrixOf(0, 0, () => 0))).toEqual([]);
  });
});

test('refuses what is not square, and a negative tolerance', () => {
  const wide = matrixOf(2, 3, () => 1);
  expect(() => newColumns(wide)).toThrow(ShapeError);
  expect(() => diagonalBlocks(wide)).toThrow('diagonalBlocks: m: expected a square matrix, got (2, 3)');
  expect(() => newColumns(bidiagonalExample(), -1)).toThrow(ArgumentError);
});
