import { expect, test } from 'vitest';
import { studentQuantile95, summarize, summarizeValues } from './statistics.js';

test('mean, sample deviation and confidence interval', () => {
  const { count, mean, std, ci95 } = summarizeValues([1, 2, 3, 4]);
  expect(count).toBe(4);
  expect(mean).toBe(2.5);
  expect(std).toBeCloseTo(Math.sqrt(5 / 3), 12);
  // t(3, 0.975) = 3.1824
  expect(ci95).toBeCloseTo((3.1824 * Math.sqrt(5 / 3)) / 2, 12);
});

test('one value has no spread', () => {
  expect(summarizeValues([7])).toEqual({ count: 1, mean: 7, std: 0, ci95: 0 });
});

test('quantiles beyond the table go over into the normal one', () => {
  expect(studentQuantile95(31)).toBeCloseTo(2.0395, 3);
  expect(studentQuantile95(120)).toBeCloseTo(1.9799, 3);
  expect(studentQuantile95(1e6)).toBeCloseTo(1.96, 4);
});

test('only names that every row has are summarised', () => {
  expect(Object.keys(summarize([{ a: 1, b: 2 }, { a: 3 }]))).toEqual(['a']);
  expect(summarize([])).toEqual({});
});
