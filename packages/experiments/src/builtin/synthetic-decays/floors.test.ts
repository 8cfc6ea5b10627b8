import { describe, expect, test } from 'vitest';
import { bestSingleDecay, floorFor, signalVariance } from './floors.js';

const data = { lambdas: [0.9, 0.5], coeffs: [1, 0.7], seqLen: 100, noiseStd: 1e-4 };

/** Mean over steps of the squared difference of two impulse responses, summed lag by lag and step by step. */
function errorOf(decay: number, gain: number, { lambdas, coeffs, seqLen, noiseStd }: typeof data): number {
  let total = 0;
  for (let t = 0; t < seqLen; t++) {
    for (let k = 0; k <= t; k++) {
      const wanted = lambdas.reduce((sum, lambda, j) => sum + (coeffs[j] as number) * lambda ** k, 0);
      total += (wanted - gain * decay ** k) ** 2;
    }
  }
  return total / seqLen + noiseStd ** 2;
}

describe('the floors of the study', () => {
  test('one decay leaves 0.1302 of 8.215', () => {
    const best = bestSingleDecay(data);
    expect(signalVariance(data)).toBeCloseTo(8.215, 3);
    expect(best.error).toBeCloseTo(0.1302, 4);
    expect(best.decay).toBeCloseTo(0.858, 3);
    expect(best.gain).toBeCloseTo(1.483, 3);
    expect(best.error).toBeCloseTo(errorOf(best.decay, best.gain, data), 10);
  });

  test('no decay and gain nearby does better', () => {
    const { decay, gain, error } = bestSingleDecay(data);
    for (const [da, dg] of [
      [1e-3, 0],
      [-1e-3, 0],
      [0, 1e-2],
      [0, -1e-2],
      [1e-3, -1e-2],
    ] as const) {
      expect(errorOf(decay + da, gain + dg, data)).toBeGreaterThan(error);
    }
  });

  test('as many decays as the data have leave the noise, and between one and those it is not known', () => {
    expect(floorFor(1, data)).toBe(bestSingleDecay(data).error);
    expect(floorFor(2, data)).toBe(1e-8);
    expect(floorFor(5, data)).toBe(1e-8);
    const three = { ...data, lambdas: [0.9, 0.5, 0.2], coeffs: [1, 1, 1] };
    expect(floorFor(2, three)).toBeUndefined();
    const one = { ...data, lambdas: [0.8], coeffs: [2] };
    expect(bestSingleDecay(one).error).toBeCloseTo(1e-8, 12);
    expect(bestSingleDecay(one).decay).toBeCloseTo(0.8, 6);
  });
});
