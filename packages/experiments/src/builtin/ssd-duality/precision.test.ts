import { getBackendInfo } from '@statespace/tensor';
import { describe, expect, test } from 'vitest';
import { chunkSizeErrors } from './chunk-precision.js';
import { type PrecisionMathematics, precisionMathematics, precisionRows } from './precision.js';
import {
  chunksAreAccurate,
  decayRoundsToOne,
  halfRemedyFails,
  measuredErrors,
  referenceIsConvolution,
  remedyHolds,
} from './precision-checks.js';
import { toFloat16, toFloat32, uniformFormats } from './rounded-recurrence.js';

const grid = { decays: [0.9, 0.99, 0.999], seqLens: [256, 1024, 4096], trials: 4, seed: 0 };

/** The claims that fail with `broken` in the place of the right mathematics. */
function failures(broken: Partial<PrecisionMathematics>, seed = 0): string[] {
  const maths = { ...precisionMathematics, ...broken };
  const rows = precisionRows({ ...grid, seed }, maths);
  const checks = [
    referenceIsConvolution(grid.decays, maths),
    ...measuredErrors(rows),
    ...halfRemedyFails(rows),
    remedyHolds(rows),
  ];
  expect(checks).toHaveLength(6);
  return checks.filter((check) => !check.passed).map((check) => check.claim);
}

test.each([0, 10, 20, 30, 40])('the study holds from seed %i on', (seed) => {
  expect(failures({}, seed)).toEqual([]);
});

describe('its claims fail with', () => {
  const { exact, rounded } = precisionMathematics;

  test.each<[string, Partial<PrecisionMathematics>, RegExp]>([
    [
      'squared decays everywhere',
      {
        exact: (a, u) => exact(a * a, u),
        rounded: (a, u, formats) => rounded(a * a, u, formats),
      },
      /the float64 recurrence/,
    ],
    [
      'squared decays in the rounded recurrence',
      { rounded: (a, u, formats) => rounded(a * a, u, formats) },
      /two roundings/,
    ],
    [
      'inputs that arrive late',
      { exact: (a, u) => exact(a, u).map((_, t, y) => y[t - 1] ?? 0) },
      /the float64 recurrence/,
    ],
    ['no rounding at all', { rounded: exact }, /bf16 at a = 0.99/],
    [
      'float32 where bfloat16 was meant',
      { rounded: (a, u) => rounded(a, u, uniformFormats(toFloat32)) },
      /bf16 at a = 0.99/,
    ],
    [
      'a remedy of half precision',
      { rounded: (a, u) => rounded(a, u, uniformFormats(toFloat16)) },
      /two roundings/,
    ],
  ])('%s', (_name, broken, claim) => {
    expect(failures(broken).join()).toMatch(claim);
  });
});

test('points that were not asked for are not claimed', () => {
  const rows = precisionRows({ decays: [0.5], seqLens: [64], trials: 2, seed: 0 });
  expect(measuredErrors(rows)).toEqual([]);
  expect(halfRemedyFails(rows)).toEqual([]);
  expect(remedyHolds(rows)).toMatchObject({ passed: true });
  expect(remedyHolds([])).toMatchObject({ passed: false });
});

test('rows hold spread and extremes over the trials', () => {
  const rows = precisionRows({ decays: [0.9], seqLens: [64], trials: 3, seed: 0 });
  for (const { mean, std, min, max } of rows) {
    expect(min).toBeLessThanOrEqual(mean);
    expect(mean).toBeLessThanOrEqual(max);
    expect(std).toBeGreaterThan(0);
  }
  expect(rows.map(({ scheme }) => scheme)).toContain('bf16');
});

test('0.999 is 1 in bf16, and not in f16', () => {
  expect(decayRoundsToOne()).toMatchObject({ passed: true, found: '1 and 0.98828125' });
  expect(decayRoundsToOne(toFloat16)).toMatchObject({ passed: false });
});

const devices = getBackendInfo().backend === 'cpu' ? ['reference', 'cpu'] : ['reference'];

test.each(devices)('chunk sizes on %s', (device) => {
  const rows = chunkSizeErrors([16, 64, 100], { a: 0.99, seqLen: 300, seed: 1, device });
  expect(rows.map((row) => row.chunk_size)).toEqual([16, 64, 100]);
  expect(chunksAreAccurate(rows)).toMatchObject({ passed: true });
  expect(chunksAreAccurate([{ chunk_size: 16, error: 1e-3 }])).toMatchObject({ passed: false });
});
