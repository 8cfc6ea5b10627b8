import { vandermonde } from '@statespace/ssd-core/structure';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../config/parse-config.js';
import type { Findings } from '../../experiment/result.js';
import { renderSvg } from '../../figures/render-figure.js';
import { dualityMathematics } from './duality-mathematics.js';
import { exp3RankVsStateDim, rankFindings, rankGrid } from './exp3-rank-vs-state-dim.js';
import {
  exp3bRankVsStateDim,
  rankCurve,
  rankCurveFigure,
  rankCurveFindings,
} from './exp3b-rank-vs-state-dim.js';
import { clearRank, rankHolds, ranksCheck } from './rank-check.js';

const failures = ({ details }: Findings): string[] =>
  details.filter(({ passed }) => !passed).map(({ claim, found }) => `${claim}: ${found}`);

describe('ranks in float64', () => {
  test('are equal where float64 can tell, between clear and exact where not', () => {
    expect(rankHolds({ found: 3, exact: 3, clear: 3 })).toBe(true);
    expect(rankHolds({ found: 2, exact: 3, clear: 3 })).toBe(false);
    expect(rankHolds({ found: 4, exact: 3, clear: 3 })).toBe(false);
    expect(rankHolds({ found: 11, exact: 16, clear: 11 })).toBe(true);
    expect(rankHolds({ found: 10, exact: 16, clear: 11 })).toBe(false);
    expect(rankHolds({ found: 17, exact: 16, clear: 11 })).toBe(false);
  });

  test('no finding is no proof', () => {
    expect(ranksCheck('a claim', []).passed).toBe(false);
  });

  test('powers of decays', () => {
    expect([...vandermonde([0.5, 0], 3).data]).toEqual([1, 1, 0.5, 0, 0.25, 0]);
    expect(clearRank(vandermonde([0.5, 0.5, 0.8], 10))).toBe(2);
  });
});

describe('exp3', () => {
  const params = { seqLens: [15, 30], seeds: [0, 1], seed: 0, randomN: 4 };
  const find = (change: object = {}) => [...rankGrid({ ...params, ...change })];

  test('every row is as theory says', () => {
    const ranks = find();
    const findings = rankFindings(ranks, dualityMathematics);
    expect(failures(findings)).toEqual([]);
    // 2 lengths, 2 seeds, 4 sets of decays and a random one.
    expect(findings.metadata.rows).toHaveLength(20);
    for (const { row } of ranks) {
      const { T, theory } = row;
      const wanted = { generator_rank: theory, ss_order: theory, kernel_rank: T, saturated: false };
      expect(row).toMatchObject(wanted);
      expect(theory).toBe(row.decays.length);
    }
  });

  test('half the length bounds the order, the length the generator rank', () => {
    const [, , , five, random] = find({ seqLens: [4], seeds: [0], randomN: 7 });
    expect(five?.row).toMatchObject({ theory: 4, generator_rank: 4, ss_order: 2, kernel_rank: 4 });
    expect(random?.row).toMatchObject({ theory: 4, ss_order: 2 });
  });

  test('random decays differ between seeds, are apart, and can be left out', () => {
    const decays = find({ seqLens: [15] }).flatMap(({ row }) =>
      row.decays.length === 4 ? [row.decays] : [],
    );
    expect(decays).toHaveLength(2);
    expect(decays[0]).not.toEqual(decays[1]);
    for (const set of decays) {
      for (const [n, decay] of set.entries()) {
        expect(decay).toBeGreaterThan(0.2);
        expect(decay).toBeLessThan(0.95);
        expect(n === 0 ? 1 : decay - (set[n - 1] as number)).toBeGreaterThan(0.09);
      }
    }
    expect(find({ randomN: 0 })).toHaveLength(16);
  });

  test('the seed chooses other draws for the same list', () => {
    const other = find({ seed: 1, seqLens: [15], seeds: [0] }).map(({ outputs }) => outputs);
    expect(other).not.toEqual(find({ seqLens: [15], seeds: [0] }).map(({ outputs }) => outputs));
  });

  test('many random decays are beyond float64 and no failure', () => {
    const ranks = find({ seqLens: [60], seeds: [0], randomN: 32 });
    expect(failures(rankFindings(ranks, dualityMathematics))).toEqual([]);
    expect(ranks.at(-1)?.row.saturated).toBe(true);
  });

  test('its parameters are the original example', () => {
    expect(parseConfig(exp3RankVsStateDim.params, {}, 'test')).toMatchObject(params);
  });
});

describe('exp3b', () => {
  const params = { dStates: [1, 2, 5, 10], seqLen: 32, seeds: [0, 1, 2], seed: 0 };
  const points = [...rankCurve(params)];

  test('both ranks follow y = N', () => {
    const findings = rankCurveFindings(points, dualityMathematics);
    expect(failures(findings)).toEqual([]);
    expect(findings.metadata).toMatchObject({
      N_values: [1, 2, 5, 10],
      T: 32,
      seeds: [0, 1, 2],
      generator_ranks: [
        [1, 1, 1],
        [2, 2, 2],
        [5, 5, 5],
        [10, 10, 10],
      ],
      generator_rank_mean: [1, 2, 5, 10],
      generator_rank_std: [0, 0, 0, 0],
      ss_order_mean: [1, 2, 5, 10],
    });
  });

  test('a single seed off the line is a failure', () => {
    const [first, ...others] = points;
    const { ranks } = first as (typeof points)[0];
    const [one, ...rest] = ranks;
    const off = { ...one, row: { ...one?.row, generator_rank: 2 } } as (typeof ranks)[0];
    const findings = rankCurveFindings([{ dState: 1, ranks: [...rest, off] }, ...others], dualityMathematics);
    expect(failures(findings).join()).toMatch(/the generator rank is N for every seed/);
  });

  test('past float64 the order falls behind, which fails nothing and is told', () => {
    const far = [...rankCurve({ ...params, dStates: [16], seqLen: 64, seeds: [0] })];
    const findings = rankCurveFindings(far, dualityMathematics);
    expect(failures(findings)).toEqual([]);
    expect(findings.metadata).toMatchObject({
      generator_ranks: [[16]],
      ss_orders: [[12]],
      saturated: [true],
    });
  });

  test('the figure names both curves, the line and where rounding begins', async () => {
    const far = [...rankCurve({ ...params, dStates: [16], seqLen: 64, seeds: [0] })];
    const svg = await renderSvg(rankCurveFigure([...points.slice(0, 3), ...far]));
    for (const text of [
      'number of states N',
      'generator rank',
      'semiseparable order',
      'y = N',
      'from N = 16 on',
    ]) {
      expect(svg, text).toContain(text);
    }
  });

  test('its parameters are those of the study', () => {
    expect(parseConfig(exp3bRankVsStateDim.params, {}, 'test')).toMatchObject({
      dStates: [1, 2, 4, 6, 8, 10, 12, 14, 16],
      seqLen: 64,
      seeds: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    });
  });
});
