import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../../errors.js';
import { hostTensor, maxRelativeError, nnCases } from '../../testing/index.js';
import { affineRef } from '../elementwise/copying.js';
import { gradNormRef } from './grad-norm.js';

describe('gradNorm', () => {
  test.each(nnCases('clip-norm2'))('golden $name', ({ params, inputs, outputs }) => {
    const grads = [inputs['g.0']!, inputs['g.1']!];
    const { norm, factor } = gradNormRef({ grads, maxNorm: params.max_norm as number });
    expect(maxRelativeError([norm], outputs.total_norm!)).toBeLessThan(1e-12);
    grads.forEach((grad, i) => {
      expect(
        maxRelativeError(affineRef({ x: grad, alpha: factor, beta: 0 }), outputs[`g.${i}`]!),
      ).toBeLessThan(1e-12);
    });
  });

  test('small gradients stay, zero ones too', () => {
    expect(gradNormRef({ grads: [hostTensor([0.3, 0.4], [2])], maxNorm: 1 }).factor).toBe(1);
    expect(gradNormRef({ grads: [hostTensor([0, 0], [2])], maxNorm: 0.5 })).toEqual({ norm: 0, factor: 1 });
    expect(gradNormRef({ grads: [], maxNorm: 1 })).toEqual({ norm: 0, factor: 1 });
  });

  test('Infinity as limit means no clipping', () => {
    expect(gradNormRef({ grads: [hostTensor([3, 4], [2])], maxNorm: Number.POSITIVE_INFINITY })).toEqual({
      norm: 5,
      factor: 1,
    });
  });

  test('NaN and Infinity show', () => {
    const nan = gradNormRef({ grads: [hostTensor([1], [1]), hostTensor([Number.NaN], [1])], maxNorm: 1 });
    expect(nan.norm).toBeNaN();
    expect(nan.factor).toBeNaN();
    expect(
      gradNormRef({ grads: [hostTensor([Number.NaN], [1])], maxNorm: Number.POSITIVE_INFINITY }).factor,
    ).toBeNaN();
    const infinite = gradNormRef({ grads: [hostTensor([Number.NEGATIVE_INFINITY], [1])], maxNorm: 1 });
    expect(infinite).toEqual({ norm: Number.POSITIVE_INFINITY, factor: 0 });
  });

  test.each([-1, Number.NaN])('refuses maxNorm %f', (maxNorm) => {
    expect(() => gradNormRef({ grads: [], maxNorm })).toThrow(ArgumentError);
  });
});
