import { describe, expect, it } from 'vitest';
import { NgramModel, ngramEntropies } from './ngram-model.js';

const train = Int32Array.of(0, 1, 2, 0, 1, 3, 0, 1, 2, 4, 4, 0);

describe('NgramModel', () => {
  it('sums to one over the vocabulary for every history, seen or not', () => {
    const vocabSize = 6;
    const model = new NgramModel(train, { vocabSize, order: 3 });
    for (let a = 0; a < vocabSize; a++) {
      for (let b = 0; b < vocabSize; b++) {
        for (const order of [1, 2, 3]) {
          let sum = 0;
          for (let w = 0; w < vocabSize; w++) {
            const p = model.probability([a, b], w, order);
            expect(p).toBeGreaterThan(0);
            sum += p;
          }
          expect(sum).toBeCloseTo(1, 14);
        }
      }
    }
  });

  it('agrees with the formula worked out by hand', () => {
    const model = new NgramModel(train, { vocabSize: 6, order: 3 });
    // Unigrams: 12 tokens of 5 kinds; p1(2) = (2 + 5/6) / 17.
    const p1 = (2 + 5 / 6) / 17;
    expect(model.probability([], 2)).toBeCloseTo(p1, 15);
    // After 1 come 2, 3, 2: p2(2|1) = (2 + 2 p1) / 5.
    const p2 = (2 + 2 * p1) / 5;
    expect(model.probability([1], 2)).toBeCloseTo(p2, 15);
    // After 0 1 come 2, 3, 2 as well.
    expect(model.probability([0, 1], 2)).toBeCloseTo((2 + 2 * p2) / 5, 15);
    // Token 5 never occurs: its history falls back to the unigram.
    expect(model.probability([5], 2)).toBeCloseTo(p1, 15);
  });

  it('gives entropies that fall with the order on a periodic text', () => {
    const periodic = Int32Array.from({ length: 300 }, (_, i) => i % 3);
    const { unigram, bigram, trigram } = ngramEntropies(periodic, periodic.slice(0, 60), 3);
    expect(unigram).toBeCloseTo(Math.log(3), 3);
    expect(bigram).toBeLessThan(0.1);
    expect(trigram).toBeLessThanOrEqual(bigram);
  });

  it('gives ln V for a uniform model', () => {
    const model = new NgramModel(new Int32Array(0), { vocabSize: 7, order: 2 });
    expect(model.crossEntropy(Int32Array.of(1, 2, 3))).toBeCloseTo(Math.log(7), 14);
  });

  it('refuses orders, ids, sizes and empty texts out of range', () => {
    expect(() => new NgramModel(train, { vocabSize: 6, order: 4 })).toThrow(/order/);
    expect(() => new NgramModel(train, { vocabSize: 4, order: 1 })).toThrow(/0 to 3, got 4/);
    expect(() => new NgramModel(train, { vocabSize: 300_000, order: 3 })).toThrow(/2\^53/);
    expect(() => ngramEntropies(train, new Int32Array(0), 6)).toThrow(/at least one/);
  });
});
