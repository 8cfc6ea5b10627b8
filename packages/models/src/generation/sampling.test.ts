import { describe, expect, it } from 'vitest';
import { checkSampling, type SamplingOptions, sampleToken } from './sampling.js';

const logits = [0.5, 2, -1, 2, 0, Number.NEGATIVE_INFINITY];

/** Shares of each token over a fine even grid of uniform numbers: the distribution itself. */
function shares(options: SamplingOptions, of: readonly number[] = logits): number[] {
  const counts = of.map(() => 0);
  const draws = 20_000;
  for (let i = 0; i < draws; i++) {
    const token = sampleToken(of, (i + 0.5) / draws, options);
    counts[token] = (counts[token] as number) + 1 / draws;
  }
  return counts;
}

function softmax(values: readonly number[], temperature: number): number[] {
  const weights = values.map((value) => Math.exp(value / temperature));
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / total);
}

describe('sampleToken', () => {
  it.each([0.5, 1, 3])('follows the softmax at temperature %d', (temperature) => {
    const got = shares({ temperature });
    for (const [token, share] of softmax(logits, temperature).entries())
      expect(got[token]).toBeCloseTo(share, 3);
  });

  it('takes the largest, the lower index of equal ones, at temperature 0 and with topK 1', () => {
    expect(sampleToken(logits, 0.99, { temperature: 0 })).toBe(1);
    expect(sampleToken(logits, 0.99, { topK: 1 })).toBe(1);
  });

  it('keeps the topK most probable', () => {
    const got = shares({ topK: 3 });
    expect(got.map((share) => share > 0)).toEqual([true, true, false, true, false, false]);
    expect((got[0] as number) / (got[1] as number)).toBeCloseTo(Math.exp(-1.5), 2);
  });

  it('keeps the smallest set that reaches topP, and at least one', () => {
    expect(shares({ topP: 0.5 }).map((share) => share > 0)).toEqual([false, true, false, true, false, false]);
    expect(shares({ topP: 1e-9 })[1]).toBeCloseTo(1, 9);
    // After topK the rest is renormalised: of two equal tokens the first alone reaches a half.
    expect(shares({ topK: 2, topP: 0.5 })[1]).toBeCloseTo(1, 9);
  });

  it('never picks an impossible token, not even at the ends of the interval', () => {
    const certain = [Number.NEGATIVE_INFINITY, 0, Number.NEGATIVE_INFINITY];
    for (const uniform of [2 ** -25, 0.5, 1 - 2 ** -25]) expect(sampleToken(certain, uniform)).toBe(1);
  });

  it('holds for huge logits, and refuses NaN', () => {
    expect(sampleToken([1e30, -1e30], 0.999)).toBe(0);
    expect(() => sampleToken([0, Number.NaN], 0.5)).toThrow(/NaN at token 1/);
  });

  it.each([
    [{ temperature: -1 }, /temperature/],
    [{ temperature: Number.NaN }, /temperature/],
    [{ topK: 0 }, /topK/],
    [{ topK: 1.5 }, /topK/],
    [{ topP: 0 }, /topP/],
    [{ topP: 1.1 }, /topP/],
  ])('refuses %j', (options, message) => {
    expect(() => checkSampling(options)).toThrow(message);
  });
});
