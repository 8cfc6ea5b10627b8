import { describe, expect, test } from 'vitest';
import {
  agreement,
  frobeniusNorm,
  outputDifference,
  sumMatrices,
  toleranceIsStrict,
  worstDifference,
} from './equivalence.js';

describe('outputDifference', () => {
  test.each([
    [[1, 2], [1, 2.5], { maxAbs: 0.5, scale: 2.5, relative: 0.2 }],
    // Small outputs are compared to 1.
    [[0.1], [0.3], { maxAbs: expect.closeTo(0.2, 15), scale: 1, relative: expect.closeTo(0.2, 15) }],
    [[], [], { maxAbs: 0, scale: 1, relative: 0 }],
  ])('%j from %j', (y, z, wanted) => {
    expect(outputDifference(y, z)).toEqual(wanted);
  });

  test.each([
    [
      [1, Number.NaN],
      [1, 2],
    ],
    [
      [1, 2],
      [1, Number.NaN],
    ],
    [[1], [1, 2]],
    [[1, 2], [1]],
    [[Number.POSITIVE_INFINITY], [Number.POSITIVE_INFINITY]],
  ])('%j and %j do not agree', (y, z) => {
    const difference = outputDifference(y, z);
    expect(difference.maxAbs).toBe(Number.POSITIVE_INFINITY);
    expect(agreement('a claim', difference, 1).passed).toBe(false);
  });

  test('the worst of several', () => {
    const worst = worstDifference([outputDifference([1], [3]), outputDifference([10], [11])]);
    expect(worst).toEqual({ maxAbs: 2, scale: 11, relative: 2 / 3 });
  });
});

test('agreement is up to the tolerance, included', () => {
  const at = (relative: number) => agreement('a claim', { maxAbs: relative, scale: 1, relative }, 1e-12);
  expect(at(1e-12).passed).toBe(true);
  expect(at(1.01e-12).passed).toBe(false);
});

test('a tolerance is strict when it would not let a small error pass', () => {
  const y = Float64Array.of(0, 100);
  expect(toleranceIsStrict(y, 1e-12).passed).toBe(true);
  expect(toleranceIsStrict(y, 2e-9).passed).toBe(false);
  expect(toleranceIsStrict(y, 2e-9, 1e-6).passed).toBe(true);
  expect(toleranceIsStrict(y, Number.NaN).passed).toBe(false);
});

test('sums and norms', () => {
  const [x, y] = [
    [3, 0],
    [0, 4],
  ].map((row) => ({ rows: 1, cols: 2, data: Float64Array.from(row) })) as [never, never];
  expect([...sumMatrices([x, y]).data]).toEqual([3, 4]);
  expect(frobeniusNorm(sumMatrices([x, y]))).toBe(5);
});
