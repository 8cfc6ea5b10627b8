import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../../errors.js';
import { maxRelativeError, nnCases, randomSource } from '../../testing/index.js';
import { layerNormBackwardRef, layerNormRef } from './layer-norm.js';

describe('layerNorm', () => {
  test.each(nnCases('layer_norm'))('golden $name', ({ params, inputs, outputs }) => {
    const args = { x: inputs.x!, weight: inputs.weight!, bias: inputs.bias!, eps: params.eps as number };
    const grads = layerNormBackwardRef({ ...args, gradOut: inputs.grad_y! });
    expect(maxRelativeError(layerNormRef(args), outputs.y!)).toBeLessThan(1e-12);
    expect(maxRelativeError(grads.gradX, outputs.grad_x!)).toBeLessThan(1e-12);
    expect(maxRelativeError(grads.gradWeight, outputs.grad_weight!)).toBeLessThan(1e-12);
    expect(maxRelativeError(grads.gradBias, outputs.grad_bias!)).toBeLessThan(1e-12);
  });

  test('without weight and bias: rows of mean 0 and variance 1, whatever their own mean', () => {
    const x = randomSource(5).normal([4, 16]);
    const shifted = { ...x, data: x.data.map((value) => value + 4096) };
    const out = layerNormRef({ x: shifted, eps: 0 });
    for (let row = 0; row < 4; row++) {
      const values = out.data.slice(row * 16, row * 16 + 16);
      expect(Math.abs(values.reduce((a, b) => a + b, 0) / 16)).toBeLessThan(1e-12);
      expect(values.reduce((a, b) => a + b * b, 0) / 16).toBeCloseTo(1, 12);
    }
    expect(maxRelativeError(out, layerNormRef({ x, eps: 0 }))).toBeLessThan(1e-11);
  });

  test('names what does not fit', () => {
    const random = randomSource(6);
    const x = random.normal([2, 6]);
    expect(() => layerNormRef({ x, bias: random.normal([2]), eps: 1e-5 })).toThrow(
      'layerNorm: bias: expected (D) = (6), got (2)',
    );
    expect(() => layerNormRef({ x, eps: Number.NaN })).toThrow(ArgumentError);
    expect(() => layerNormBackwardRef({ x, eps: 1e-5, gradOut: random.normal([6, 2]) })).toThrow(
      'layerNormBackward: gradOut: expected (2, 6), got (6, 2)',
    );
  });
});
