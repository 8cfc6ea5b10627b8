import { describe, expect, test } from 'vitest';
import { ArgumentError, ShapeError } from '../../errors.js';
import { hostTensor, randomSource, strided } from '../../testing/index.js';
import { argmaxRef, reduceRef } from './reduce.js';

const x = hostTensor(
  Array.from({ length: 24 }, (_, i) => i),
  [2, 3, 4],
);

describe('reduce', () => {
  test.each<[number[], number[], number[]]>([
    [[], [2, 3, 4], [...x.data]],
    [[2], [2, 3], [6, 22, 38, 54, 70, 86]],
    [[0], [3, 4], [12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34]],
    [[1], [2, 4], [12, 15, 18, 21, 48, 51, 54, 57]],
    [[0, 2], [3], [60, 92, 124]],
    [[2, 0], [3], [60, 92, 124]],
    [[0, 1, 2], [], [276]],
  ])('sum over axes %j', (axes, shape, wanted) => {
    const out = reduceRef({ op: 'sum', x, axes });
    expect(out.shape).toEqual(shape);
    expect([...out.data]).toEqual(wanted);
    const count = 24 / wanted.length;
    expect([...reduceRef({ op: 'mean', x, axes }).data]).toEqual(wanted.map((value) => value / count));
  });

  test('max over axes, of a view too', () => {
    expect([...reduceRef({ op: 'max', x, axes: [0, 2] }).data]).toEqual([15, 19, 23]);
    expect([...reduceRef({ op: 'max', x: strided(x), axes: [1] }).data]).toEqual([
      8, 9, 10, 11, 20, 21, 22, 23,
    ]);
  });

  test('equals the unrolled sum on random numbers', () => {
    const random = randomSource(3).normal([5, 7]);
    const out = reduceRef({ op: 'sum', x: random, axes: [1] });
    for (let row = 0; row < 5; row++) {
      expect(out.data[row]).toBe(random.data.slice(row * 7, row * 7 + 7).reduce((a, b) => a + b, 0));
    }
  });

  test('NaN wins; the sum of nothing is 0, its mean NaN, its maximum an error', () => {
    const nan = hostTensor([1, Number.NaN, 3], [3]);
    for (const op of ['sum', 'mean', 'max'] as const)
      expect(reduceRef({ op, x: nan, axes: [0] }).data[0]).toBeNaN();
    const none = hostTensor([], [2, 0]);
    expect([...reduceRef({ op: 'sum', x: none, axes: [1] }).data]).toEqual([0, 0]);
    expect(reduceRef({ op: 'mean', x: none, axes: [1] }).data).toEqual(
      Float64Array.of(Number.NaN, Number.NaN),
    );
    expect(() => reduceRef({ op: 'max', x: none, axes: [1] })).toThrow(ShapeError);
    expect(reduceRef({ op: 'max', x: none, axes: [0] }).shape).toEqual([0]);
  });

  test.each([[[3]], [[-1]], [[0, 0]], [[0.5]]])('refuses axes %j', (axes) => {
    expect(() => reduceRef({ op: 'sum', x, axes })).toThrow(ArgumentError);
    expect(() => reduceRef({ op: 'sum', x, axes })).toThrow(
      /reduce: axes: expected different axes in \[0, 3\)/,
    );
  });
});

describe('argmax', () => {
  test('lowest index of equal entries, first NaN where there is one', () => {
    const rows = hostTensor([1, 3, 3, -1, -5, -1, 2, Number.NaN, 9], [3, 3]);
    expect([...argmaxRef({ x: rows }).data]).toEqual([1, 0, 1]);
    expect(argmaxRef({ x: rows }).shape).toEqual([3]);
  });

  test('all -Infinity gives 0', () => {
    const rows = hostTensor(new Array(4).fill(Number.NEGATIVE_INFINITY), [1, 4]);
    expect([...argmaxRef({ x: rows }).data]).toEqual([0]);
  });

  test('refuses scalars and empty rows', () => {
    expect(() => argmaxRef({ x: hostTensor([1], []) })).toThrow(ShapeError);
    expect(() => argmaxRef({ x: hostTensor([], [3, 0]) })).toThrow(
      /argmax: x: expected entries to choose from/,
    );
  });
});
