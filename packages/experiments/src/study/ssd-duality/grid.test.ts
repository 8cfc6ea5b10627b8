import { ArgumentError, ConfigError } from '@statespace/ssd-core';
import { describe, expect, test } from 'vitest';
import { selectExperiments, shortName } from '../study.js';
import { planSsdDualityGrid, type SsdDualityAxes } from './grid.js';
import { ssdDuality } from './ssd-duality.js';

function plan(names: readonly string[], axes: SsdDualityAxes = {}, repeats = 1, seedBase = 0) {
  const experiments = selectExperiments(ssdDuality, names);
  return planSsdDualityGrid({ experiments, repeats, seedBase, fast: true, ...axes });
}

describe('planSsdDualityGrid', () => {
  test('without options: every experiment of the study, with every seed', () => {
    const cells = plan([], {}, 2, 5);
    expect(cells).toHaveLength(2 * ssdDuality.experiments.length);
    expect(new Set(cells.map(({ experiment }) => experiment)).size).toBe(ssdDuality.experiments.length);
    expect(cells.slice(0, 2).map(({ seed }) => seed)).toEqual([5, 6]);
  });

  test('numbers of states go to exp2 and exp2b, lengths to exp3, each in a run of its own', () => {
    const cells = plan(['exp2', 'exp2b', 'exp3'], {
      exp2NList: [1, 3],
      exp3TList: [10, 20],
      exp3Seeds: [4, 7],
      exp3RandomN: 2,
    });
    expect(cells.map(({ params }) => params)).toMatchObject([
      { dState: 1 },
      { dState: 3 },
      { dState: 1 },
      { dState: 3 },
      { seqLens: [10], seeds: [4, 7], randomN: 2 },
      { seqLens: [20], seeds: [4, 7], randomN: 2 },
    ]);
  });

  test('options of exp4 become its parameters', () => {
    const options = { exp4EndToEnd: true, exp4Plot: true, exp4PlotPath: 'a.svg' };
    expect(plan(['exp4'], options)[0]?.params).toMatchObject({
      endToEnd: true,
      plot: true,
      plotPath: 'a.svg',
    });
  });

  test('an option without its experiment is an error: it would be ignored', () => {
    expect(() => plan(['exp1'], { exp2NList: [1] })).toThrow(ArgumentError);
    expect(() => plan(['exp1', 'exp2'], { exp4Plot: true })).toThrow('exp4');
  });

  test('values are checked before anything runs', () => {
    expect(() => plan(['exp2'], { exp2NList: [0] })).toThrow(ConfigError);
    expect(() => plan(['exp4'], { exp4PlotPath: 'figure.jpg' })).toThrow('.png, .svg or .pdf');
  });
});

test('experiments have short names', () => {
  expect(ssdDuality.experiments.map(shortName)).toEqual([
    'exp1',
    'exp2',
    'exp2b',
    'exp3',
    'exp3b',
    'dual',
    'exp4',
    'exp4b',
    'exp5',
    'exp5b',
    'precision',
  ]);
});
