import { Generator } from '@statespace/tensor';
import { describe, expect, test } from 'vitest';
import {
  causalSoftmax,
  cornerBlock,
  lowRankErrors,
  randomScores,
  rankWithin,
  uniformCausalAttention,
} from './softmax-kernel.js';

const at = ({ cols, data }: { cols: number; data: Float64Array }, t: number, s: number) =>
  data[t * cols + s] as number;

describe('causal softmax', () => {
  test('rows are distributions over the past and the present', () => {
    const p = causalSoftmax(randomScores(40, 8, new Generator(1)));
    for (let t = 0; t < 40; t++) {
      const row = p.data.subarray(t * 40, (t + 1) * 40);
      expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 14);
      expect(row.subarray(0, t + 1).every((weight) => weight > 0)).toBe(true);
      expect(row.subarray(t + 1).every((weight) => weight === 0)).toBe(true);
    }
  });

  test('ratios of weights are exponentials of differences of scores', () => {
    const scores = randomScores(12, 4, new Generator(2));
    const p = causalSoftmax(scores);
    for (let t = 0; t < 12; t++) {
      for (let s = 0; s <= t; s++) {
        const expected = Math.exp(at(scores, t, s) - at(scores, t, 0));
        expect(at(p, t, s) / at(p, t, 0)).toBeCloseTo(expected, 10);
      }
    }
  });

  test('scores in the thousands do not overflow', () => {
    const p = causalSoftmax({ rows: 2, cols: 2, data: Float64Array.of(-5000, 0, 4000, 4001) });
    expect([...p.data]).toEqual([1, 0, 1 / (1 + Math.E), expect.closeTo(Math.E / (1 + Math.E), 15)]);
  });

  test('equal scores weigh all steps so far alike', () => {
    const p = causalSoftmax({ rows: 5, cols: 5, data: new Float64Array(25).fill(3) });
    expect(p).toEqual(uniformCausalAttention(5));
    expect([...p.data.subarray(10, 15)]).toEqual([1 / 3, 1 / 3, 1 / 3, 0, 0]);
  });
});

test('scores have variance 1, whatever the key width', () => {
  for (const dK of [1, 16]) {
    const { data } = randomScores(200, dK, new Generator(4));
    const variance = data.reduce((sum, x) => sum + x * x, 0) / data.length;
    expect(variance).toBeGreaterThan(0.7);
    expect(variance).toBeLessThan(1.3);
  }
});

test('the corner is the second half of the rows, the first of the columns', () => {
  const data = Float64Array.from({ length: 25 }, (_, i) => i);
  expect(cornerBlock({ rows: 5, cols: 5, data })).toEqual({
    rows: 3,
    cols: 2,
    data: Float64Array.of(10, 11, 15, 16, 20, 21),
  });
});

describe('low-rank errors', () => {
  test('are tails of the singular values', () => {
    const errors = lowRankErrors(Float64Array.of(4, 3, 0));
    expect([...errors]).toEqual([1, 3 / 5, 0, 0]);
    expect(rankWithin(errors, 0.6)).toBe(1);
    expect(rankWithin(errors, 0.5)).toBe(2);
    expect(rankWithin(errors, 1)).toBe(0);
  });

  test('small tails are not lost', () => {
    const errors = lowRankErrors(Float64Array.of(1, 1e-9, 1e-9));
    expect((errors[1] as number) / (Math.SQRT2 * 1e-9)).toBeCloseTo(1, 12);
  });

  test('of a zero matrix do not exist', () => {
    expect(() => lowRankErrors(new Float64Array(3))).toThrow('above zero');
  });
});
