import { diagonalBlocks, semiseparableOrder } from '@statespace/ssd-core/structure';
import { describe, expect, test } from 'vitest';
import { renderSvg } from '../../figures/render-figure.js';
import { binaryMatrix } from './dual-binary.js';
import { dualCondition } from './dual-condition.js';
import { betaSweep, sweepChecks } from './dual-examples.js';
import { blockExample, examplesFigure, sweepFigure } from './dual-figures.js';
import { dualMathematics } from './dual-mathematics.js';
import { dualError, randomDualChecks, randomDuals } from './dual-random.js';

const betas = [0.5, 1, 2];

test('every claim holds', () => {
  const rows = [...randomDuals({ seqLens: [16, 48], dState: 3, kernels: 2, seed: 5 }, dualMathematics)];
  const { details, metadata } = dualCondition({ betas, seed: 5 }, rows);
  expect(details.filter(({ passed }) => !passed)).toEqual([]);
  expect(metadata).toMatchObject({
    binary_matrices: 1024,
    binary_completion_rank_equals_new_columns: 1024,
    bidiagonal: { ss_order: 2, new_columns: 3 },
    identity_plus_corner: [4, 8, 16, 32].map((T) => ({ T, ss_order: 2, new_columns: T - 1 })),
  });
  expect(rows.map(({ T, new_columns }) => [T, new_columns])).toEqual([
    [16, 3],
    [16, 3],
    [48, 3],
    [48, 3],
  ]);
});

test('256 steps have their dual too, to 1e-8', () => {
  const rows = [...randomDuals({ seqLens: [256], dState: 4, kernels: 1, seed: 0 }, dualMathematics)];
  expect(randomDualChecks(rows, 1e-8).filter(({ passed }) => !passed)).toEqual([]);
});

test('no kernels prove nothing', () => {
  expect(randomDualChecks([], 1e-8).some(({ passed }) => passed)).toBe(true);
  expect(randomDualChecks([], 1e-8).every(({ passed }) => passed)).toBe(false);
});

test('the 1,024 matrices are different, lower triangular, of zeros and ones', () => {
  const texts = Array.from({ length: 1024 }, (_, code) => binaryMatrix(code).data.join(''));
  expect(new Set(texts).size).toBe(1024);
  expect(texts.every((text) => /^[01]000[01]{2}00[01]{3}0[01]{4}$/.test(text))).toBe(true);
});

describe('DeltaNet', () => {
  test('new columns for N = 2, 3, 4 at T = 16', () => {
    const rows = betaSweep(betas, 0, dualMathematics);
    expect(rows.map((row) => row.new_columns)).toEqual([2, 15, 2, 3, 14, 3, 4, 13, 4]);
  });
  test.each([5, 11, 28, 38])('rounding does not count as a state, seed %i', (seed) => {
    const rows = betaSweep([0.25, 0.9, 1, 1.1, 1.75], seed, dualMathematics);
    expect(sweepChecks(rows).filter(({ passed }) => !passed)).toEqual([]);
  });
  test('a sweep without beta = 1 says so', () => {
    expect(sweepChecks(betaSweep([0.5], 0, dualMathematics))[1]?.found).toContain('not in the sweep');
  });
});

describe('dualError', () => {
  const matrix = { rows: 2, cols: 2, data: Float64Array.of(1, 0, 0, 4) };
  const ones = { rows: 2, cols: 1, data: Float64Array.of(1, 1) };
  const whole = [{ begin: 0, end: 2 }];
  const single = [
    { begin: 0, end: 1 },
    { begin: 1, end: 2 },
  ];

  test('is relative to the largest entry, and sees only blocks', () => {
    // tril(1 1^T) is off by 1 at [1,0] and by 3 at [1,1].
    expect(dualError(matrix, { exists: true, blocks: whole, q: ones, k: ones })).toBe(0.75);
    const k = { ...ones, data: Float64Array.of(1, 4) };
    expect(dualError(matrix, { exists: true, blocks: single, q: ones, k })).toBe(0);
    expect(dualError(matrix, { exists: true, blocks: whole, q: ones, k })).toBe(0.25);
  });

  test('is infinite without a dual, and for entries that are no numbers', () => {
    expect(dualError(matrix, { exists: false, blocks: whole })).toBe(Number.POSITIVE_INFINITY);
    const q = { ...ones, data: Float64Array.of(Number.NaN, 1) };
    expect(dualError(matrix, { exists: true, blocks: whole, q, k: ones })).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('figures', () => {
  test('mark 2 + 1 + 2 + 3 + 7 + 15 new columns and frame two blocks', async () => {
    const svg = await renderSvg(examplesFigure(0, dualMathematics));
    expect(svg.match(/aria-roledescription="point"/g)).toHaveLength(2 + 3 + 3 + 7 + 15);
    for (const text of ['two blocks: 1 + 2 new', 'bidiagonal: 3 new', 'I + E, T = 8: 7 new']) {
      expect(svg).toContain(text);
    }
  });

  test('the example with two blocks has order 2, as the figure says', () => {
    expect(semiseparableOrder(blockExample)).toBe(2);
    expect(diagonalBlocks(blockExample)).toHaveLength(2);
    expect(dualMathematics.widthDual(blockExample, 2).exists).toBe(true);
    expect(dualMathematics.widthDual(blockExample, 1).exists).toBe(false);
  });

  test('the sweep names its axes', async () => {
    const svg = await renderSvg(sweepFigure(betaSweep(betas, 0, dualMathematics)));
    for (const text of ['β', 'new columns', 'N = 2', 'N = 4']) expect(svg).toContain(text);
  });
});
