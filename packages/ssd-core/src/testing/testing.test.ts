import { describe, expect, test } from 'vitest';
import {
  concatenated,
  errorsAgainst,
  finiteDifferenceGradient,
  hostTensor,
  maxRelativeError,
  nanTensor,
  permuted,
  randomSource,
  sliced,
  worst,
} from './index.js';

describe('maxRelativeError', () => {
  test('measures the largest gap against the largest golden number, at least 1e-3', () => {
    expect(maxRelativeError([1, 2.5], [1, 2])).toBe(0.25);
    expect(maxRelativeError([1e-6], [0])).toBe(1e-3);
    expect(maxRelativeError([], [])).toBe(0);
  });

  test('never passes by accident', () => {
    expect(maxRelativeError([Number.NaN], [1])).toBe(Number.POSITIVE_INFINITY);
    expect(maxRelativeError([1], [Number.NaN])).toBe(Number.POSITIVE_INFINITY);
    expect(() => maxRelativeError([1], [1, 2])).toThrow(RangeError);
    expect(worst(errorsAgainst({}, { out: hostTensor([1], [1]) }))).toBe(Number.POSITIVE_INFINITY);
    expect(worst({})).toBe(Number.POSITIVE_INFINITY);
  });
});

test('permuted moves axes as np.transpose does', () => {
  const x = hostTensor([0, 1, 2, 3, 4, 5], [1, 2, 3]);
  expect(permuted(x, [0, 2, 1])).toEqual({ data: Float64Array.of(0, 3, 1, 4, 2, 5), shape: [1, 3, 2] });
  expect(permuted(permuted(x, [2, 0, 1]), [1, 2, 0])).toEqual(x);
});

test('sliced and concatenated are inverses', () => {
  const x = randomSource(1).normal([2, 5, 3]);
  expect(concatenated([sliced(x, 1, 0, 2), sliced(x, 1, 2, 5)], 1)).toEqual(x);
});

test('outputs to be written start as NaN', () => {
  expect(nanTensor([2, 2], 'f32').data.every(Number.isNaN)).toBe(true);
});

describe('randomSource', () => {
  test('gives the same numbers for the same seed, others for another', () => {
    expect(randomSource(3).normal([8])).toEqual(randomSource(3).normal([8]));
    expect(randomSource(3).normal([8])).not.toEqual(randomSource(4).normal([8]));
  });

  test('draws numbers that float32 holds exactly, with the moments asked for', () => {
    const { data } = randomSource(1).normal([20_000]);
    expect(Float32Array.from(data)).toEqual(new Float32Array(Float64Array.from(data, Math.fround)));
    expect(data.every((value) => Math.fround(value) === value)).toBe(true);
    const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
    const square = data.reduce((sum, value) => sum + value * value, 0) / data.length;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(square - 1)).toBeLessThan(0.05);
  });
});

test('finite differences give the gradient and restore the point', () => {
  const x = Float64Array.of(0.5, -1, 2);
  const before = x.slice();
  const gradient = finiteDifferenceGradient(() => Math.exp(x[0]!) * Math.sin(x[1]!) + x[2]! ** 3, x);
  const wanted = [Math.exp(0.5) * Math.sin(-1), Math.exp(0.5) * Math.cos(-1), 12];
  expect(maxRelativeError(gradient, wanted)).toBeLessThan(1e-11);
  expect(x).toEqual(before);
});
