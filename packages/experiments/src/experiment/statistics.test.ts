import { ArgumentError } from '@statespace/ssd-core';
import { expect, test } from 'vitest';
import { powerLawExponent, summarize, summarizeValues } from './statistics.js';

test('mean, sample deviation and confidence interval', () => {
  const { count, mean, std, ci95 } = summarizeValues([1, 2, 3, 4]);
  expect(count).toBe(4);
  expect(mean).toBe(2.5);
  expect(std).toBeCloseTo(Math.sqrt(5 / 3), 12);
  // t(3, 0.975)
  expect(ci95).toBeCloseTo((3.1824463052837078 * Math.sqrt(5 / 3)) / 2, 12);
});

test('one value has no spread', () => {
  expect(summarizeValues([7])).toEqual({ count: 1, mean: 7, std: 0, ci95: 0 });
});

test('the exponent of a power law, whatever its factor', () => {
  const xs = [300, 600, 1200];
  expect(
    powerLawExponent(
      xs,
      xs.map((x) => 0.03 * x * x),
    ),
  ).toBeCloseTo(2, 12);
  // ln y off the line by (+e, -2e, +e) leaves the slope alone; (-e, 0, +e) adds e / ln 2.
  const tilted = xs.map((x, i) => x * Math.exp(0.1 * (i - 1)));
  expect(powerLawExponent(xs, tilted)).toBeCloseTo(1 + 0.1 / Math.LN2, 12);
});

test('no exponent without two sizes and positive values', () => {
  expect(() => powerLawExponent([5, 5], [1, 2])).toThrow(ArgumentError);
  expect(() => powerLawExponent([1, 2], [0, 2])).toThrow('positive');
  expect(() => powerLawExponent([1, 2, 3], [1, 2])).toThrow(ArgumentError);
});

test('only names that every row has are summarised', () => {
  expect(Object.keys(summarize([{ a: 1, b: 2 }, { a: 3 }]))).toEqual(['a']);
  expect(summarize([])).toEqual({});
});
