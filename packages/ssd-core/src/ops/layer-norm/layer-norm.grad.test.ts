import { expect, test } from 'vitest';
import { dot, finiteDifferenceGradient, maxRelativeError, randomSource } from '../../testing/index.js';
import { layerNormBackwardRef, layerNormRef } from './layer-norm.js';

const random = randomSource(31);
const x = random.normal([2, 3, 5]);
const weight = random.normal([5]);
const bias = random.normal([5]);
const upstream = random.normal([2, 3, 5]);

test('layerNorm: gradients of x, weight and bias equal finite differences', () => {
  const inputs = { x, weight, bias, eps: 0.1 };
  const grads = layerNormBackwardRef({ ...inputs, gradOut: upstream });
  const loss = () => dot(layerNormRef(inputs).data, upstream.data);
  expect(maxRelativeError(grads.gradX, finiteDifferenceGradient(loss, x.data))).toBeLessThan(1e-8);
  expect(maxRelativeError(grads.gradWeight, finiteDifferenceGradient(loss, weight.data))).toBeLessThan(1e-8);
  expect(maxRelativeError(grads.gradBias, finiteDifferenceGradient(loss, bias.data))).toBeLessThan(1e-8);
});

test('layerNorm without weight and bias: gradient of x', () => {
  const loss = () => dot(layerNormRef({ x, eps: 0.1 }).data, upstream.data);
  const { gradX } = layerNormBackwardRef({ x, eps: 0.1, gradOut: upstream });
  expect(maxRelativeError(gradX, finiteDifferenceGradient(loss, x.data))).toBeLessThan(1e-8);
});
