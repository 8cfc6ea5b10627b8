import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { entriesAreSeparate } from './separate-entries.js';

/** Addresses of all entries, one by one. */
function addresses(shape: readonly number[], strides: readonly number[]): number[] {
  return shape.reduce<number[]>(
    (found, size, axis) =>
      found.flatMap((at) => Array.from({ length: size }, (_, i) => at + i * (strides[axis] as number))),
    [0],
  );
}

test('agrees with the count of distinct addresses', () => {
  const axis = fc.record({ size: fc.integer({ min: 0, max: 6 }), stride: fc.integer({ min: -24, max: 24 }) });
  let shared = 0;
  let separateButInterleaved = 0;
  fc.assert(
    fc.property(fc.array(axis, { maxLength: 4 }), (axes) => {
      const shape = axes.map(({ size }) => size);
      const strides = axes.map(({ stride }) => stride);
      const all = addresses(shape, strides);
      const separate = new Set(all).size === all.length;
      if (!separate) shared++;
      else if (all.length > 0 && Math.max(...all) - Math.min(...all) >= all.length) separateButInterleaved++;
      expect(entriesAreSeparate(shape, strides)).toBe(separate);
    }),
    { numRuns: 3000, seed: 4 },
  );
  // Both answers came up, and not only for views without gaps.
  expect(shared).toBeGreaterThan(300);
  expect(separateButInterleaved).toBeGreaterThan(300);
});

describe('known views', () => {
  test.each<[string, number[], number[], boolean]>([
    ['a scalar', [], [], true],
    ['rows', [2, 3, 4], [12, 4, 1], true],
    ['a transpose', [2, 3, 4], [12, 1, 3], true],
    ['backwards in time', [2, 3, 4], [12, -4, 1], true],
    ['every second entry', [2, 3], [12, 2], true],
    ['strides that interleave without meeting', [2, 3], [3, 2], true],
    ['one entry again and again', [2, 3], [3, 0], false],
    ['axes of one entry with stride 0', [1, 3, 1], [0, 1, 0], true],
    ['windows that slide by one', [3, 2], [1, 1], false],
    ['strides that meet after six', [3, 4], [3, 2], false],
    ['an empty view', [2, 0, 4], [0, 1, 0], true],
    ['more entries than memory in reach', [1000, 1000, 1000], [3, 2, 1], false],
    ['sizes as large as memory allows', [1024, 1048576], [1048576, 1], true],
  ])('%s', (_, shape, strides, separate) => {
    expect(entriesAreSeparate(shape, strides)).toBe(separate);
  });
});
