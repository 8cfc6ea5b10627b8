import { describe, expect, test } from 'vitest';
import { ArgumentError, ShapeError } from '../errors.js';
import { matrixOf, maxDifference, normals, randomDiagonalSsm } from '../testing/index.js';
import {
  constantDiagonalSsm,
  type DiagonalSsm,
  diagonalKernel,
  headKernels,
  matVec,
  oneSemiseparable,
  runDiagonalSsm,
} from './index.js';

/** prod_{k=s+1..t} a_k, factor by factor. */
function product(a: ArrayLike<number>, t: number, s: number, stride = 1, n = 0): number {
  let value = 1;
  for (let k = s + 1; k <= t; k++) value *= a[k * stride + n] as number;
  return value;
}

function kernelByDefinition({ seqLen, dState, a, b, c }: DiagonalSsm) {
  return matrixOf(seqLen, seqLen, (t, s) => {
    let sum = 0;
    for (let n = 0; n < dState && s <= t; n++) {
      const weight = (c[t * dState + n] as number) * (b[s * dState + n] as number);
      sum += weight * product(a, t, s, dState, n);
    }
    return sum;
  });
}

test.each([0, 1, 2, 7])('1SS(a) of length %i is made of products of decays', (seqLen) => {
  const { a } = randomDiagonalSsm(seqLen, 1, { low: -1, high: 1, seed: seqLen });
  const wanted = matrixOf(seqLen, seqLen, (t, s) => (s <= t ? product(a, t, s) : 0));
  // Products of up to six factors, in another order: rounding of each.
  expect(maxDifference(oneSemiseparable(a), wanted)).toBeLessThan(1e-15);
});

test('zero decays cut the mask, and a[0] multiplies nothing', () => {
  const mask = oneSemiseparable(Float64Array.of(Number.NaN, 2, 0, 3));
  expect(mask.data).toEqual(Float64Array.of(1, 0, 0, 0, 2, 1, 0, 0, 0, 0, 1, 0, 0, 0, 3, 1));
});

test('products that underflow leave no NaN', () => {
  const mask = oneSemiseparable(new Float64Array(1500).fill(0.5));
  expect(mask.data[1499 * 1500]).toBe(0);
  expect(mask.data[1499 * 1500 + 1498]).toBe(0.5);
  expect(mask.data.some(Number.isNaN)).toBe(false);
});

describe.each([
  [0, 3],
  [1, 2],
  [5, 0],
  [9, 1],
  [40, 3],
])('a diagonal SSM of T = %i, N = %i', (seqLen, dState) => {
  const ssm = randomDiagonalSsm(seqLen, dState, { low: -0.99, high: 0.99, seed: 5 });

  test('kernel, by its definition', () => {
    expect(maxDifference(diagonalKernel(ssm), kernelByDefinition(ssm))).toBeLessThan(1e-13);
  });

  test('heads: N masks with weights, and the kernel is their sum', () => {
    const heads = headKernels(ssm);
    expect(heads).toHaveLength(dState);
    heads.forEach((head, n) => {
      const { a, b, c } = ssm;
      const column = (values: Float64Array) => values.filter((_, i) => i % dState === n);
      const one = { seqLen, dState: 1, a: column(a), b: column(b), c: column(c) };
      expect(maxDifference(head, kernelByDefinition(one))).toBeLessThan(1e-13);
    });
    const sum = matrixOf(seqLen, seqLen, (t, s) =>
      heads.reduce((total, { data }) => total + (data[t * seqLen + s] as number), 0),
    );
    expect(maxDifference(sum, diagonalKernel(ssm))).toBeLessThan(1e-13);
  });

  test('recurrence and kernel give the same outputs', () => {
    const u = normals(9, seqLen);
    const [y, z] = [runDiagonalSsm(ssm, u), matVec(diagonalKernel(ssm), u)];
    y.forEach((value, t) => {
      expect(Math.abs(value - (z[t] as number))).toBeLessThan(1e-12);
    });
  });
});

test('constant decays: M[t,s] = sum_n c_n b_n lambda_n^(t-s)', () => {
  const { data } = diagonalKernel(constantDiagonalSsm(4, [0.5, -1], { b: [2, 1], c: [1, 3] }));
  expect([0, 1, 2, 3].map((t) => data[t * 4])).toEqual([5, -2, 3.5, -2.75]);
  expect(diagonalKernel(constantDiagonalSsm(3, [0.5, 0.8])).data[4]).toBe(2);
});

test('decay 0: the output is the weighted input; 1: its running sum', () => {
  const u = Float64Array.of(1, 2, 3);
  expect(runDiagonalSsm(constantDiagonalSsm(3, [0]), u)).toEqual(u);
  expect(runDiagonalSsm(constantDiagonalSsm(3, [1]), u)).toEqual(Float64Array.of(1, 3, 6));
});

describe('refuses', () => {
  const ssm = constantDiagonalSsm(3, [0.5, 0.8]);
  test.each<[string, () => unknown, new (...args: never[]) => Error, string]>([
    [
      'a length that is none',
      () => constantDiagonalSsm(1.5, [1]),
      ArgumentError,
      'constantDiagonalSsm: seqLen',
    ],
    [
      'b of another length',
      () => constantDiagonalSsm(3, [1], { b: [1, 2] }),
      ShapeError,
      'b: expected 1 entries, got 2',
    ],
    [
      'inputs of another length',
      () => runDiagonalSsm(ssm, new Float64Array(2)),
      ShapeError,
      'u: expected 3 entries',
    ],
    [
      'a short a',
      () => diagonalKernel({ ...ssm, a: ssm.a.subarray(1) }),
      ShapeError,
      'ssm.a: expected 6 entries, got 5',
    ],
    ['a short c', () => headKernels({ ...ssm, c: ssm.c.subarray(1) }), ShapeError, 'headKernels: ssm.c'],
  ])('%s', (_name, call, error, message) => {
    expect(call).toThrow(error);
    expect(call).toThrow(message);
  });
});
