import { expect, test } from 'vitest';
import {
  dot,
  finiteDifferenceGradient,
  maxRelativeError,
  randomSource,
  toIndexTensor,
} from '../../testing/index.js';
import { crossEntropyBackwardRef, crossEntropyRef } from './cross-entropy.js';

test.each([0, 0.1, 1])(
  'crossEntropy: gradient equals finite differences, label smoothing %f',
  (labelSmoothing) => {
    const random = randomSource(51);
    const logits = random.normal([4, 5], 2);
    const args = { logits, targets: toIndexTensor([4, -100, 0, 2]), labelSmoothing };
    const upstream = random.normal([4]);
    const loss = () => dot(crossEntropyRef(args).data, upstream.data);
    const numeric = finiteDifferenceGradient(loss, logits.data);
    expect(
      maxRelativeError(crossEntropyBackwardRef({ ...args, gradLosses: upstream }), numeric),
    ).toBeLessThan(1e-9);
  },
);
