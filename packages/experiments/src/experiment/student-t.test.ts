import { ArgumentError } from '@statespace/ssd-core';
import { expect, test } from 'vitest';
import { studentCdf, studentQuantile } from './student-t.js';

// scipy.stats.t.ppf of SciPy 1.17.1: degrees, P(T <= t), t.
test.each([
  [1, 0.975, 12.706204736174694],
  [2, 0.975, 4.302652729749462],
  [3, 0.975, 3.1824463052837078],
  [4, 0.975, 2.7764451051977934],
  [7, 0.975, 2.364624251592784],
  [9, 0.975, 2.262157162798205],
  [30, 0.975, 2.0422724563012378],
  [120, 0.975, 1.9799304050824402],
  [5, 0.95, 2.0150483733330233],
  [10, 0.995, 3.16927267261695],
])('%i degrees, P = %d', (freedom, probability, expected) => {
  expect(studentQuantile(probability, freedom)).toBeCloseTo(expected, 11);
  expect(studentCdf(expected, freedom)).toBeCloseTo(probability, 12);
});

test('one and two degrees have closed forms', () => {
  for (const p of [0.01, 0.3, 0.5, 0.8, 0.999]) {
    const centred = 2 * p - 1;
    expect(studentQuantile(p, 1)).toBeCloseTo(Math.tan((Math.PI * centred) / 2), 8);
    expect(studentQuantile(p, 2)).toBeCloseTo((centred * Math.SQRT2) / Math.sqrt(1 - centred * centred), 8);
  }
});

test('is odd about one half, and inverts the distribution', () => {
  for (const freedom of [1, 2, 5, 12, 301]) {
    for (const p of [0.6, 0.9, 0.9999]) {
      const t = studentQuantile(p, freedom);
      expect(studentCdf(t, freedom)).toBeCloseTo(p, 12);
      expect(studentQuantile(1 - p, freedom)).toBeCloseTo(-t, 8 - Math.ceil(Math.log10(t + 1)));
    }
  }
});

test('many degrees come near the normal distribution: t = z + (z^3 + z) / (4 freedom)', () => {
  const z = 1.959963984540054;
  expect(studentQuantile(0.975, 100_000)).toBeCloseTo(z + (z ** 3 + z) / 400_000, 8);
});

test('refuses what is no probability and no degrees', () => {
  for (const p of [0, 1, -0.1, Number.NaN]) expect(() => studentQuantile(p, 3)).toThrow(ArgumentError);
  for (const freedom of [0, 1.5, Number.NaN]) {
    expect(() => studentQuantile(0.975, freedom)).toThrow('whole number');
    expect(() => studentCdf(0, freedom)).toThrow(ArgumentError);
  }
});
