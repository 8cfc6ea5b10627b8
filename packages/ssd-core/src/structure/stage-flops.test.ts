import { expect, test } from 'vitest';
import { ArgumentError } from '../errors.js';
import { stageFlops } from './index.js';

/** Counts what the loops of each form do, one by one. */
function countLoops(seqLen: number, dState: number, width: number) {
  const recurrence = { multiplies: 0, adds: 0 };
  const kernel = { multiplies: 0, adds: 0 };
  const product = { multiplies: 0, adds: 0 };
  for (let t = 0; t < seqLen; t++) {
    for (let n = 0; n < dState; n++) {
      for (let p = 0; p < width; p++) {
        recurrence.multiplies += 1; // b u
        if (t > 0) recurrence.multiplies += 1; // a h
        if (t > 0) recurrence.adds += 1; // a h + b u
        recurrence.multiplies += 1; // c h
        if (n > 0) recurrence.adds += 1; // sum over states
      }
      for (let s = 0; s <= t; s++) {
        if (s < t) kernel.multiplies += 1; // a times the row above, which holds b
        kernel.multiplies += 1; // c
        if (n > 0) kernel.adds += 1;
      }
    }
    for (let s = 0; s <= t; s++) {
      product.multiplies += width;
      if (s > 0) product.adds += width;
    }
  }
  return { recurrence, kernel, product };
}

test.each([
  [1, 1, 1],
  [7, 1, 3],
  [12, 4, 5],
  [3, 2, 0],
])('T = %i, N = %i, d = %i: as the loops count', (seqLen, dState, width) => {
  const found = stageFlops({ seqLen, dState, width });
  const counted = countLoops(seqLen, dState, width);
  expect(found).toMatchObject(counted);
  for (const form of [found.recurrence, found.kernel, found.product, found.attention]) {
    expect(form.total).toBe(form.multiplies + form.adds);
  }
  expect(found.attention.total).toBe(found.kernel.total + found.product.total);
  expect(found.units.total).toBe(4 * dState * seqLen * width);
  const { input, scan, output, sum, total } = found.units;
  expect(input + scan + output + sum).toBe(total);
});

test('multiplications and additions come to 1.10 - 1.19 times the units of the paper, for N = 2 ... 4', () => {
  const ratio = (seqLen: number, dState: number): number => {
    const { recurrence, units } = stageFlops({ seqLen, dState, width: 16 });
    return recurrence.total / units.total;
  };
  expect(ratio(20, 2)).toBeCloseTo(1.1, 10);
  expect(ratio(2400, 4)).toBeCloseTo(1.1873, 4);
});

test('the recurrence grows with T, the product with its square', () => {
  const at = (seqLen: number) => stageFlops({ seqLen, dState: 4, width: 16 });
  expect(at(4000).recurrence.total / at(2000).recurrence.total).toBeCloseTo(2, 3);
  expect(at(4000).attention.total / at(2000).attention.total).toBeCloseTo(4, 2);
});

test('refuses sizes that are none', () => {
  expect(() => stageFlops({ seqLen: 0, dState: 1, width: 1 })).toThrow(ArgumentError);
  expect(() => stageFlops({ seqLen: 1, dState: 1, width: 0.5 })).toThrow('stageFlops: width');
});
