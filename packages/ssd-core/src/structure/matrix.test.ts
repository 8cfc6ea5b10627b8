import { describe, expect, test } from 'vitest';
import { NonFiniteError, ShapeError } from '../errors.js';
import { matrixOf } from '../testing/index.js';
import { causalProduct, matMul, matVec } from './index.js';
import { checkFinite, checkSquare, subMatrix } from './matrix.js';

const a = matrixOf(2, 3, (i, j) => 1 + 3 * i + j);
const b = matrixOf(3, 2, (i, j) => 2 * i - j);

test('products', () => {
  expect(matVec(a, Float64Array.of(1, 0, -1))).toEqual(Float64Array.of(-2, -2));
  expect(matMul(a, b)).toEqual({ rows: 2, cols: 2, data: Float64Array.of(16, 10, 34, 19) });
  expect(
    matMul(
      matrixOf(0, 2, () => 1),
      matrixOf(2, 1, () => 1),
    ).data,
  ).toHaveLength(0);
});

test('causalProduct is the lower triangle of Q K^T', () => {
  const q = matrixOf(3, 2, (i, j) => i + 10 * j);
  const k = matrixOf(3, 2, (i, j) => i - j);
  const transposed = matrixOf(2, 3, (i, j) => k.data[j * 2 + i] as number);
  const whole = matMul(q, transposed);
  const wanted = matrixOf(3, 3, (t, s) => (s <= t ? (whole.data[t * 3 + s] as number) : 0));
  expect(causalProduct(q, k)).toEqual(wanted);
});

test('subMatrix copies', () => {
  const part = subMatrix(a, 1, 2, 1, 3);
  expect(part).toEqual({ rows: 1, cols: 2, data: Float64Array.of(5, 6) });
  part.data[0] = 0;
  expect(a.data[4]).toBe(5);
});

describe('refuses', () => {
  test.each<[string, () => unknown, string]>([
    ['a vector too short', () => matVec(a, new Float64Array(2)), 'matVec: x: expected 3 entries, got 2'],
    ['inner sizes that differ', () => matMul(a, a), 'matMul: b: expected 3 rows, got 2'],
    [
      'keys of another shape',
      () => causalProduct(a, b),
      'causalProduct: k: expected (2, 3) as q, got (3, 2)',
    ],
    [
      'data too short',
      () => matVec({ ...a, rows: 4 }, new Float64Array(3)),
      'expected 12 entries for (4, 3), got 6',
    ],
    ['sizes that are none', () => matVec({ ...a, rows: -1 }, new Float64Array(3)), 'got (-1, 3)'],
    ['what is not square', () => checkSquare('op', 'm', a), 'op: m: expected a square matrix, got (2, 3)'],
  ])('%s', (_name, call, message) => {
    expect(call).toThrow(ShapeError);
    expect(call).toThrow(message);
  });

  test('entries that are no numbers, by their place', () => {
    const m = matrixOf(2, 2, (i, j) => (i === 1 && j === 0 ? Number.NaN : 1));
    expect(() => checkFinite('op', 'm', m)).toThrow(NonFiniteError);
    expect(() => checkFinite('op', 'm', m)).toThrow('op: m: expected finite entries, got NaN at [1, 0]');
  });
});
