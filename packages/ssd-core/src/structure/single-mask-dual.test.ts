import { describe, expect, test } from 'vitest';
import { ArgumentError, NonFiniteError } from '../errors.js';
import { maxDifference, randomDiagonalSsm } from '../testing/index.js';
import {
  causalProduct,
  constantDiagonalSsm,
  type DiagonalSsm,
  diagonalKernel,
  singleMaskDual,
} from './index.js';

function errorOf(ssm: DiagonalSsm): number {
  const { q, k } = singleMaskDual(ssm);
  return maxDifference(causalProduct(q, k), diagonalKernel(ssm));
}

test.each([1, 2, 64, 512])('decays 0.5 and 0.8: right to rounding at T = %i', (seqLen) => {
  expect(errorOf(constantDiagonalSsm(seqLen, [0.5, 0.8]))).toBeLessThan(4e-15);
});

test('queries are c P, keys b / P', () => {
  const { q, k } = singleMaskDual(constantDiagonalSsm(3, [0.5], { b: [3], c: [5] }));
  expect(q).toEqual({ rows: 3, cols: 1, data: Float64Array.of(5, 2.5, 1.25) });
  expect(k).toEqual({ rows: 3, cols: 1, data: Float64Array.of(3, 6, 12) });
});

test('decays of either sign that change with time', () => {
  expect(errorOf(randomDiagonalSsm(200, 4, { low: -1.2, high: -0.8 }))).toBeLessThan(1e-10);
});

describe('is refused where products of decays leave float64', () => {
  const refusal = (ssm: DiagonalSsm) => () => singleMaskDual(ssm);

  test('underflow, with the first step', () => {
    // 0.5^1022 is the smallest normal number, and P_t = 0.5^t.
    expect(errorOf(constantDiagonalSsm(1023, [0.5, 0.8]))).toBeLessThan(4e-15);
    for (const seqLen of [1024, 2048]) {
      expect(refusal(constantDiagonalSsm(seqLen, [0.8, 0.5]))).toThrow(ArgumentError);
      expect(refusal(constantDiagonalSsm(seqLen, [0.8, 0.5]))).toThrow(
        'singleMaskDual: ssm.a: expected products a[1] ... a[t] within the normal range of float64, ' +
          'got underflow at t = 1023, state 1',
      );
    }
  });

  test('overflow', () => {
    expect(refusal(constantDiagonalSsm(1025, [2]))).toThrow('overflow at t = 1024, state 0');
  });

  test('a zero decay, save the first, which multiplies nothing', () => {
    const ssm = constantDiagonalSsm(4, [0.5, 0.8]);
    const zeroAt = (i: number) => ({ ...ssm, a: ssm.a.map((decay, at) => (at === i ? 0 : decay)) });
    expect(refusal(zeroAt(5))).toThrow('a decay of 0 at t = 2, state 1');
    expect(errorOf(zeroAt(1))).toBeLessThan(1e-15);
  });

  test('NaN, and a weight that overflows although the product does not', () => {
    expect(refusal(constantDiagonalSsm(2, [Number.NaN]))).toThrow('NaN at t = 1, state 0');
    const large = constantDiagonalSsm(1000, [0.5], { b: [1e300] });
    expect(refusal(large)).toThrow(NonFiniteError);
  });
});
