import { describe, expect, it } from 'vitest';
import { EpochSampler } from './epoch-sampler.js';

const draw = (sampler: EpochSampler, batches: number) =>
  Array.from({ length: batches }, () => [...sampler.next()]);

describe('EpochSampler', () => {
  it('gives every sample once an epoch, in another order each time', () => {
    const sampler = new EpochSampler({ size: 10, batchSize: 4, seed: 3 });
    expect(sampler.stepsPerEpoch).toBe(3);
    const epochs = [draw(sampler, 3).flat(), draw(sampler, 3).flat()];
    for (const epoch of epochs)
      expect([...epoch].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(epochs[0]).not.toEqual(epochs[1]);
    expect([sampler.epoch, sampler.step]).toEqual([2, 0]);
  });

  it('repeats with the seed and differs without', () => {
    const options = { size: 100, batchSize: 100, seed: 7 };
    const first = draw(new EpochSampler(options), 2);
    expect(draw(new EpochSampler(options), 2)).toEqual(first);
    expect(draw(new EpochSampler({ ...options, seed: 8 }), 2)).not.toEqual(first);
  });

  it.each([0, 1, 2, 3, 4, 7])('goes on exactly after %i batches', (done) => {
    const options = { size: 11, batchSize: 4, seed: 5 };
    const unbroken = draw(new EpochSampler(options), 12);
    const broken = new EpochSampler(options);
    draw(broken, done);
    const resumed = new EpochSampler(options);
    resumed.restore(JSON.parse(JSON.stringify(broken.state())));
    expect(draw(resumed, 12 - done)).toEqual(unbroken.slice(done));
  });

  it('leaves out the short batch with dropLast, and keeps the order without shuffle', () => {
    const sampler = new EpochSampler({ size: 5, batchSize: 2, seed: 0, shuffle: false, dropLast: true });
    expect(draw(sampler, 3)).toEqual([
      [0, 1],
      [2, 3],
      [0, 1],
    ]);
  });

  it('shuffles without bias: each sample comes first about equally often', () => {
    const first = new Float64Array(5);
    const sampler = new EpochSampler({ size: 5, batchSize: 5, seed: 11 });
    const rounds = 5000;
    for (let i = 0; i < rounds; i++) {
      const index = sampler.next()[0] as number;
      first[index] = (first[index] as number) + 1;
    }
    // Binomial standard deviation is 28; six of them.
    for (const count of first) expect(Math.abs(count - rounds / 5)).toBeLessThan(170);
  });

  it('refuses a position of another sampler', () => {
    const sampler = new EpochSampler({ size: 5, batchSize: 2, seed: 0 });
    expect(() => sampler.restore({ ...sampler.state(), seed: 1 })).toThrow(/seed: expected 0, got 1/);
    expect(() => sampler.restore({ ...sampler.state(), step: 3 })).toThrow(/below 3/);
    expect(() => new EpochSampler({ size: 1, batchSize: 2, seed: 0, dropLast: true })).toThrow(/dropLast/);
    expect(() => new EpochSampler({ size: 1, batchSize: 2, seed: -1 })).toThrow(/seed/);
  });
});
