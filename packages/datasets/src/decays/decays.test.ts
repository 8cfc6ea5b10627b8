import { describe, expect, it } from 'vitest';
import { type DecayOptions, decaySequences } from './decays.js';

const options: DecayOptions = {
  count: 3,
  seqLen: 12,
  lambdas: [0.9, -0.5],
  coeffs: [1, 0.7],
  noiseStd: 0,
  seed: 4,
};

describe('decaySequences', () => {
  it('is the sum of decayed inputs, each sequence from its own start', () => {
    const { inputs, targets } = decaySequences(options);
    for (let row = 0; row < 3; row++) {
      for (let t = 0; t < 12; t++) {
        let y = 0;
        for (let s = 0; s <= t; s++)
          y += (0.9 ** (t - s) + 0.7 * (-0.5) ** (t - s)) * (inputs[12 * row + s] as number);
        expect(targets[12 * row + t]).toBeCloseTo(y, 12);
      }
    }
  });

  it('adds noise of the given deviation to the targets alone', () => {
    const long = { ...options, count: 40, seqLen: 100 };
    const clean = decaySequences(long);
    const noisy = decaySequences({ ...long, noiseStd: 0.25 });
    expect(noisy.inputs).toEqual(clean.inputs);
    const noise = noisy.targets.map((y, i) => y - (clean.targets[i] as number));
    const std = Math.sqrt(noise.reduce((sum, e) => sum + e * e, 0) / noise.length);
    // 4,000 draws: the deviation's own is 1.1 %.
    expect(std / 0.25).toBeGreaterThan(0.95);
    expect(std / 0.25).toBeLessThan(1.05);
  });

  it('repeats with the seed, and differs between streams', () => {
    expect(decaySequences(options)).toEqual(decaySequences(options));
    expect(decaySequences({ ...options, stream: 1 }).inputs).not.toEqual(decaySequences(options).inputs);
    expect(decaySequences({ ...options, seed: 5 }).inputs).not.toEqual(decaySequences(options).inputs);
  });

  it.each<[Partial<DecayOptions>, RegExp]>([
    [{ count: 0 }, /count: expected a positive integer, got 0/],
    [{ seqLen: 1.5 }, /seqLen/],
    [{ lambdas: [], coeffs: [] }, /lambdas: expected at least one decay/],
    [{ lambdas: [0.9, 1] }, /lambdas: expected numbers in \(-1, 1\), got 1/],
    [{ lambdas: [0.9, Number.NaN] }, /lambdas.*NaN/],
    [{ coeffs: [1] }, /coeffs: expected one for each of 2 decays, got 1/],
    [{ coeffs: [1, Number.POSITIVE_INFINITY] }, /coeffs: expected finite/],
    [{ noiseStd: -1 }, /noiseStd/],
    [{ seed: -1 }, /seed/],
  ])('refuses %j', (change, message) => {
    expect(() => decaySequences({ ...options, ...change })).toThrow(message);
  });
});
