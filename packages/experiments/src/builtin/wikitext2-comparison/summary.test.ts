import { describe, expect, test } from 'vitest';
import { comparisonRow } from '../../testing/comparison-rows.js';
import { comparisonChecks } from './checks.js';
import type { RunRow } from './run-row.js';
import { selectRows } from './select-rows.js';
import { pairedDifferences, summarizeModels } from './summary.js';
import { varianceBands } from './variance-bands.js';

const [first, second] = ['mamba_simple', 'mamba_SSD_diag_exp'] as const;
/** Losses of three seeds of both models; the second has one seed more. */
const log: RunRow[] = [
  comparisonRow(first, 0, 7),
  comparisonRow(second, 0, 6.8),
  comparisonRow(first, 1, 7.2),
  comparisonRow(second, 1, 7.1),
  comparisonRow(first, 2, 6.9),
  comparisonRow(second, 2, 6.6),
  comparisonRow(second, 3, 9),
];
const all = { dataset: 'wikitext2', requireAllModels: false } as const;

describe('pairedDifferences', () => {
  test('is the mean over common seeds with the interval of Student', () => {
    const [difference] = pairedDifferences(log);
    expect(difference).toMatchObject({ model: first, other: second, seeds: [0, 1, 2] });
    // Differences -0.2, -0.1, -0.3: mean -0.2, deviation 0.1, t(0.975, 2) = 4.302653.
    expect(difference?.loss.mean).toBeCloseTo(-0.2, 12);
    expect(difference?.loss.std).toBeCloseTo(0.1, 12);
    expect(difference?.loss.ci95).toBeCloseTo((4.302653 * 0.1) / Math.sqrt(3), 6);
    expect(difference?.accuracy.mean).toBeCloseTo(-0.002, 12);
  });

  test('leaves out models that share no seed', () => {
    expect(pairedDifferences([comparisonRow(first, 0, 7), comparisonRow(second, 1, 7)])).toEqual([]);
    expect(pairedDifferences([])).toEqual([]);
  });
});

test('summarizeModels has every seed of every model', () => {
  const [one, two] = summarizeModels(log);
  expect(one).toMatchObject({ model: first, seeds: [0, 1, 2], bestLoss: { count: 3 } });
  expect(one?.bestLoss.mean).toBeCloseTo((7 + 7.2 + 6.9) / 3, 12);
  expect(two).toMatchObject({ model: second, seeds: [0, 1, 2, 3] });
});

describe('selectRows', () => {
  test('keeps seeds that every model has where that is required', () => {
    const { rows } = selectRows(log, { ...all, requireAllModels: true });
    expect(rows.map(({ model, seed }) => `${model} ${seed}`)).toEqual(
      [first, second].flatMap((model) => [0, 1, 2].map((seed) => `${model} ${seed}`)),
    );
    expect(selectRows(log, all).rows).toHaveLength(7);
  });

  test('takes the latest line of a training, and only those with the flags of the last line', () => {
    const other = comparisonRow(first, 0, 1, { flags: { ...(log[0] as RunRow).flags, init: 'minimal' } });
    const again = comparisonRow(first, 0, 5);
    const { rows, otherFlags, differsIn } = selectRows([other, ...log, again], { ...all, models: [first] });
    expect(rows.map(({ best_val_loss }) => best_val_loss)).toEqual([5, 7.2, 6.9]);
    expect([otherFlags, differsIn]).toEqual([1, 'init']);
  });

  test.each([
    [{ dataset: 'ptb' }, /dataset: expected a training on wikitext2, got ptb/],
    [{ models: [first, 'mamba_3'] }, /models: expected among mamba_simple, mamba_SSD_diag_exp, got mamba_3/],
  ])('refuses %j', (selection, message) => {
    expect(() => selectRows(log, { ...all, ...selection })).toThrow(message);
  });

  test('refuses when no seed has all models', () => {
    const apart = [comparisonRow(first, 0, 7), comparisonRow(second, 1, 7)];
    expect(() => selectRows(apart, { ...all, requireAllModels: true })).toThrow(
      /a seed with mamba_simple, mamba_SSD/,
    );
    expect(() => selectRows([], all)).toThrow(/the log is empty/);
  });
});

test('varianceBands are mean and sample deviation at each epoch', () => {
  const [band] = varianceBands(log, 'val_loss');
  expect(band?.epochs.map(({ epoch }) => epoch)).toEqual([1, 2]);
  const values = [7, 7.2, 6.9];
  const mean = (7 + 7.2 + 6.9) / 3;
  const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 2);
  expect(band?.epochs[1]?.mean).toBeCloseTo(mean, 12);
  expect(band?.epochs[0]?.mean).toBeCloseTo(mean + 0.5, 12);
  expect(band?.epochs[1]?.std).toBeCloseTo(std, 12);
});

describe('comparisonChecks', () => {
  const passed = (rows: readonly RunRow[]) =>
    comparisonChecks(rows, pairedDifferences(rows)).map((check) => [check.passed, check.advisory ?? false]);

  test('hold for trainings that worked, and tell the order of the paper without claiming it', () => {
    expect(passed(log)).toEqual([
      [true, false],
      [true, false],
      [true, false],
      [true, true],
      [false, true],
    ]);
  });

  test.each([
    ['a loss that is no number', { val_loss: [Number.NaN, 7] }, 0],
    ['a training loss that rises', { train_loss: [6, 7] }, 1],
    ['a held-out loss that never falls', { untrained_val_loss: 6 }, 2],
  ])('fail for %s', (_, change, index) => {
    const broken = comparisonRow(first, 5, 7, change);
    expect(comparisonChecks([...log, broken], []).map((check) => check.passed)).toEqual(
      [true, true, true].map((value, i) => (i === index ? false : value)),
    );
  });
});
