import { describe, expect, it } from 'vitest';
import { PARITY_IGNORE, PARITY_PADDING, paritySequences } from './parity.js';

const options = { count: 200, minLength: 3, maxLength: 9, seed: 1 };

describe('paritySequences', () => {
  it('has running and last parities of its bits, and padding after them', () => {
    const { count, seqLen, inputs, targets, lastTargets, lengths } = paritySequences(options);
    for (let row = 0; row < count; row++) {
      const length = lengths[row] as number;
      let ones = 0;
      for (let t = 0; t < seqLen; t++) {
        const at = row * seqLen + t;
        if (t < length) {
          ones += inputs[at] as number;
          expect(targets[at]).toBe(ones % 2);
        } else {
          expect([inputs[at], targets[at]]).toEqual([PARITY_PADDING, PARITY_IGNORE]);
        }
      }
      expect(lastTargets[row]).toBe(ones % 2);
    }
  });

  it('uses all lengths of the range, and both bits about equally', () => {
    const { inputs, lengths } = paritySequences({ ...options, count: 2000 });
    expect(new Set(lengths)).toEqual(new Set([3, 4, 5, 6, 7, 8, 9]));
    const bits = inputs.filter((token) => token !== PARITY_PADDING);
    const ones = bits.reduce((sum, bit) => sum + bit, 0);
    expect(Math.abs(ones / bits.length - 0.5)).toBeLessThan(0.03);
  });

  it('depends on seed and stream alone', () => {
    expect(paritySequences(options)).toEqual(paritySequences(options));
    expect(paritySequences(options).inputs).not.toEqual(paritySequences({ ...options, seed: 2 }).inputs);
    expect(paritySequences(options).inputs).not.toEqual(paritySequences({ ...options, stream: 1 }).inputs);
  });

  it('refuses empty ranges', () => {
    expect(() => paritySequences({ ...options, maxLength: 2 })).toThrow(/at least minLength = 3/);
    expect(() => paritySequences({ ...options, count: 0 })).toThrow(/count/);
  });
});
