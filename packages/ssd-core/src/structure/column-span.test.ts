import { describe, expect, test } from 'vitest';
import { matrixOf, normals, randomDiagonalSsm, spacedDecays } from '../testing/index.js';
import { columnSpan, extendSpan } from './column-span.js';
import { constantDiagonalSsm, diagonalKernel, type Matrix, singularValues } from './index.js';
import { subMatrix } from './matrix.js';
import { dot, orthogonalComplement, solveTriangular, splitOff, triangularise } from './orthogonal.js';

function orthogonality(vectors: readonly Float64Array[]): number {
  const errors = vectors.flatMap((x, i) => vectors.map((y, j) => Math.abs(dot(x, y) - (i === j ? 1 : 0))));
  return Math.max(0, ...errors);
}

const kernel = diagonalKernel(constantDiagonalSsm(64, [0.983, 0.9725, 0.958, 0.928, 0.95]));

describe('columnSpan', () => {
  test.each<[string, Matrix]>([
    ['random, full rank', { rows: 9, cols: 7, data: normals(1, 63) }],
    ['wide', { rows: 3, cols: 20, data: normals(2, 60) }],
    ['of rank 8', subMatrix(diagonalKernel(randomDiagonalSsm(64, 8)), 30, 64, 0, 31)],
    ['of close decays, whose rest is rounding', subMatrix(kernel, 23, 64, 0, 24)],
    [
      'of spaced decays, whose values fade into rounding',
      subMatrix(diagonalKernel(constantDiagonalSsm(64, spacedDecays(16))), 31, 64, 0, 32),
    ],
    ['zeros', matrixOf(4, 3, () => 0)],
    ['empty', matrixOf(4, 0, () => 0)],
  ])('%s: orthonormal, with the singular values of the matrix', (_name, m) => {
    const { basis, coefficients } = columnSpan(m);
    expect(orthogonality(basis)).toBeLessThan(1e-14);
    const [found, wanted] = [singularValues(coefficients), singularValues(m)];
    const tau = Math.max(m.rows, m.cols) * 2 ** -52 * (wanted[0] ?? 0);
    wanted.forEach((value, i) => {
      // An eighth of tau is left out; the decompositions add a few roundings of their own.
      expect(Math.abs((found[i] ?? 0) - value)).toBeLessThanOrEqual(tau / 2);
    });
  });

  test('stops where only rounding is left', () => {
    for (let t = 8; t < 56; t++) {
      expect(columnSpan(subMatrix(kernel, t, 64, 0, t + 1)).basis.length).toBe(5);
    }
  });

  test('extendSpan adds a direction, or none', () => {
    const m = subMatrix(kernel, 20, 64, 0, 20);
    const span = columnSpan(m);
    const inside = extendSpan(span, subMatrix(kernel, 20, 64, 20, 21).data);
    expect([inside.basis.length, inside.coefficients.cols]).toEqual([5, 21]);
    const outside = extendSpan(span, normals(3, 44));
    expect([outside.basis.length, outside.coefficients.rows]).toEqual([6, 6]);
    expect(orthogonality(outside.basis)).toBeLessThan(1e-14);
    expect(extendSpan(span, new Float64Array(44)).basis).toHaveLength(5);
  });
});

describe('orthogonal vectors', () => {
  const { basis } = columnSpan({ rows: 12, cols: 5, data: normals(5, 60) });

  test('splitOff: a vector close to the span keeps an orthogonal remainder', () => {
    const x = (basis[0] as Float64Array).map((entry, i) => entry + (i === 3 ? 1e-13 : 0));
    const { inside, length, direction } = splitOff(x, basis);
    expect(orthogonality([...basis, direction])).toBeLessThan(1e-14);
    expect(length).toBeLessThan(1e-13);
    expect(inside[0]).toBeCloseTo(1, 12);
    expect(splitOff(new Float64Array(12), basis)).toMatchObject({ length: 0 });
  });

  test('orthogonalComplement completes a basis', () => {
    const whole = [...basis, ...orthogonalComplement(basis, 12)];
    expect(whole).toHaveLength(12);
    expect(orthogonality(whole)).toBeLessThan(1e-14);
    expect(orthogonalComplement([], 2).map((x) => [...x])).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });

  test('triangularise and solveTriangular', () => {
    const columns = Array.from({ length: 4 }, (_, j) => normals(10 + j, 4));
    const { u, r } = triangularise(columns);
    expect(orthogonality(u)).toBeLessThan(1e-14);
    expect(r.map((column) => column.length)).toEqual([1, 2, 3, 4]);
    expect(r.every((column, j) => (column[j] as number) > 0)).toBe(true);
    const y = normals(20, 4);
    const x = solveTriangular(r, y);
    const back = Array.from({ length: 4 }, (_, i) =>
      r.reduce((sum, column, j) => sum + (column[i] ?? 0) * (x[j] as number), 0),
    );
    back.forEach((value, i) => {
      expect(value).toBeCloseTo(y[i] as number, 12);
    });
  });
});
