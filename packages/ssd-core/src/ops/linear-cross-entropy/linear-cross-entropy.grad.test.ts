import { expect, test } from 'vitest';
import {
  finiteDifferenceGradient,
  maxRelativeError,
  randomSource,
  toIndexTensor,
} from '../../testing/index.js';
import { linearCrossEntropyRef } from './linear-cross-entropy.js';

test('linearCrossEntropy: gradients of x, weight and bias equal finite differences', () => {
  const random = randomSource(61);
  const inputs = {
    x: random.normal([5, 3]),
    weight: random.normal([4, 3]),
    bias: random.normal([4]),
    targets: toIndexTensor([3, 0, -100, 1, 1]),
  };
  const { gradX, gradWeight, gradBias } = linearCrossEntropyRef(inputs);
  const loss = () => linearCrossEntropyRef(inputs).loss;
  const numeric = (data: Float64Array) => finiteDifferenceGradient(loss, data);
  expect(maxRelativeError(gradX, numeric(inputs.x.data))).toBeLessThan(1e-9);
  expect(maxRelativeError(gradWeight, numeric(inputs.weight.data))).toBeLessThan(1e-9);
  expect(maxRelativeError(gradBias, numeric(inputs.bias.data))).toBeLessThan(1e-9);
});
