import { Generator } from '@statespace/tensor';
import { describe, expect, test } from 'vitest';
import {
  exactRecurrence,
  precisionSchemes,
  prefixErrors,
  roundedRecurrence,
  toBfloat16,
  toFloat16,
  uniformFormats,
} from './rounded-recurrence.js';

const ones = (seqLen: number) => new Float64Array(seqLen).fill(1);

describe('in float64', () => {
  test.each([0.9, 0.99, 0.999])('a constant input sums a geometric series, a = %d', (a) => {
    const y = exactRecurrence(a, ones(500));
    for (const t of [0, 1, 17, 499]) {
      const sum = (1 - a ** (t + 1)) / (1 - a);
      expect(Math.abs((y[t] as number) - sum) / sum).toBeLessThan(1e-13);
    }
  });

  test('an impulse dies away as a^t', () => {
    const impulse = Float64Array.of(0, 2, 0, 0, 0);
    expect([...exactRecurrence(0.5, impulse)]).toEqual([0, 2, 1, 0.5, 0.25]);
  });
});

describe('in few bits', () => {
  test('0.999 is 1 in bfloat16, and the state stands still at 256, where 1 is half a unit', () => {
    expect(toBfloat16(0.999)).toBe(1);
    expect(toBfloat16(0.99)).toBe(0.98828125);
    const y = roundedRecurrence(0.999, ones(1000), uniformFormats(toBfloat16));
    expect([y[0], y[254], y[255], y[999]]).toEqual([1, 255, 256, 256]);
  });

  test('binary16 stands still at 2048 for the same reason', () => {
    const y = roundedRecurrence(1, ones(3000), uniformFormats(toFloat16));
    expect(y[2999]).toBe(2048);
  });

  test('each result of an operation is rounded: product, then sum', () => {
    // 0.8984375 is 0.9 in bfloat16; 0.8984375 * 1.0078125 = 0.905456... rounds to 0.90625, + 1 to 1.90625.
    const y = roundedRecurrence(0.9, Float64Array.of(1.0078125, 1), uniformFormats(toBfloat16));
    expect([...y]).toEqual([1.0078125, 1.90625]);
  });

  test('with state and log-decay in float32 the error is that of storing inputs and outputs', () => {
    const u = new Generator(7).normal(4096);
    for (const [scheme, unit] of [
      ['bf16, state f32', 2 ** -8],
      ['f16, state f32', 2 ** -11],
    ] as const) {
      for (const a of [0.9, 0.99, 0.999]) {
        const exact = exactRecurrence(a, u);
        const [error] = prefixErrors(roundedRecurrence(a, u, precisionSchemes[scheme]), exact, [4096]);
        // At most one unit for the output; the inputs' errors, of either sign, add up to less than another.
        expect(error).toBeLessThan(2 * unit);
        expect(error).toBeGreaterThan(unit / 4);
      }
    }
  });
});

test('errors of prefixes are those of the shorter sequences', () => {
  const u = new Generator(3).normal(200);
  const exact = exactRecurrence(0.95, u);
  const y = roundedRecurrence(0.95, u, precisionSchemes.bf16);
  const short = prefixErrors(y.subarray(0, 60), exact.subarray(0, 60), [60]);
  expect(prefixErrors(y, exact, [60, 200])[0]).toBe(short[0]);
  expect(prefixErrors(Float64Array.of(1, 2.5, -4), Float64Array.of(1, 2, -4), [1, 2, 3])).toEqual([
    0, 0.25, 0.125,
  ]);
});
