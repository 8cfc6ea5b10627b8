import { describe, test } from 'vitest';
import { draws, expectGradients, ids } from '../testing/tensors.js';
import { crossEntropy } from './cross-entropy.js';
import { layerNorm } from './layer-norm.js';
import { linear } from './linear.js';
import { linearCrossEntropy } from './linear-cross-entropy.js';
import { rmsNorm } from './rms-norm.js';

describe('matmul', () => {
  const { leaf } = draws(1);
  test.each([
    [
      [3, 4],
      [4, 2],
    ],
    [
      [2, 3, 4],
      [4, 2],
    ],
    [
      [2, 3, 4],
      [2, 4, 2],
    ],
    [
      [3, 4],
      [2, 4, 2],
    ],
    [
      [2, 1, 3, 4],
      [5, 4, 2],
    ],
    [[4], [4, 2]],
    [[3, 4], [4]],
    [[4], [4]],
    [[2, 3, 4], [4]],
    [
      [1, 1],
      [1, 1],
    ],
  ])('%j times %j', (a, b) => {
    expectGradients((x, y) => x.matmul(y), [leaf(...a), leaf(...b)]);
  });
  test('of transposed and sliced views', () => {
    expectGradients((x, y) => x.transpose(0, 1).matmul(y.transpose(0, 1)), [leaf(4, 3), leaf(2, 4)]);
    expectGradients((x, y) => x.transpose(1, 2).matmul(y), [leaf(2, 4, 3), leaf(4, 2)]);
    expectGradients((x, y) => x.slice(1, 1, 5).matmul(y.slice(1, 0, 2)), [leaf(3, 6), leaf(4, 3)]);
    expectGradients(
      (x, y) => x.permute([2, 0, 1]).matmul(y.permute([2, 1, 0])),
      [leaf(3, 4, 2), leaf(5, 4, 2)],
    );
    expectGradients((x, y) => x.expand([3, 2, 4]).matmul(y), [leaf(2, 4), leaf(4, 2)]);
  });
});

describe('linear', () => {
  const { leaf } = draws(2);
  test('with and without bias, any leading axes', () => {
    expectGradients(linear, [leaf(5, 3), leaf(2, 3), leaf(2)]);
    expectGradients(linear, [leaf(2, 3, 4), leaf(5, 4)]);
    expectGradients(linear, [leaf(4), leaf(5, 4), leaf(5)]);
  });
  test('of a slice, of a transpose, and of a transposed weight', () => {
    expectGradients((x, w) => linear(x.slice(2, 1, 4), w), [leaf(2, 3, 5), leaf(2, 3)]);
    expectGradients((x, w) => linear(x.transpose(0, 2), w), [leaf(2, 3, 5), leaf(4, 2)]);
    expectGradients((x, w) => linear(x, w.transpose(0, 1)), [leaf(2, 3), leaf(3, 4)]);
  });
  test('with one weight used twice', () => {
    expectGradients((x, w) => linear(linear(x, w).tanh(), w), [leaf(4, 3), leaf(3, 3)]);
  });
});

describe('norms', () => {
  const { leaf } = draws(3);
  test.each([
    [undefined, undefined],
    [2, undefined],
    [undefined, true],
    [2, true],
    [4, false],
  ])('rmsNorm with groups of %s, gate after norm: %s', (groupSize, gateAfterNorm) => {
    expectGradients((x, w) => rmsNorm(x, w, { groupSize }), [leaf(2, 3, 4), leaf(4)]);
    expectGradients(
      (x, w, gate) => rmsNorm(x.slice(2, 0, 4), w, { gate: gate.slice(2, 2, 6), groupSize, gateAfterNorm }),
      [leaf(2, 3, 6), leaf(4), leaf(2, 3, 6)],
    );
  });
  test('layerNorm', () => {
    expectGradients((x, w, b) => layerNorm(x, w, b), [leaf(2, 3, 5), leaf(5), leaf(5)]);
    expectGradients((x) => layerNorm(x.transpose(0, 1), undefined, undefined, { eps: 0.1 }), [leaf(3, 4)]);
  });
});

describe('softmax and losses', () => {
  const { leaf } = draws(4);
  const targets = ids([0, 3, -100, 1, 2, 3], [2, 3]);
  test('softmax and logSoftmax', () => {
    expectGradients((x) => x.softmax(), [leaf(2, 3, 4)]);
    expectGradients((x) => x.transpose(0, 1).logSoftmax(), [leaf(3, 4)]);
  });
  test.each(['mean', 'sum', 'none'] as const)('crossEntropy, %s', (reduction) => {
    expectGradients((x) => crossEntropy(x, targets, { reduction }), [leaf(2, 3, 4)]);
    expectGradients(
      (x) => crossEntropy(x.slice(2, 1, 5), targets, { reduction, labelSmoothing: 0.2 }).square(),
      [leaf(2, 3, 6)],
    );
  });
  test('linearCrossEntropy', () => {
    const head = [leaf(2, 3, 5), leaf(4, 5), leaf(4)];
    expectGradients((x, w, bias) => linearCrossEntropy(x, w, targets, { bias }).loss, head);
    expectGradients((x, w) => linearCrossEntropy(x, w, targets).loss.square().mul(3), head.slice(0, 2));
    expectGradients(
      (x, w) =>
        linearCrossEntropy(x.slice(2, 1, 4), w, ids([0, 3, 3, 1, 2, 3], [2, 3]), { ignoreIndex: 3 }).loss,
      [leaf(2, 3, 5), leaf(4, 3)],
    );
  });
  test('linearCrossEntropy computes only the gradients that are wanted', () => {
    const { constant } = draws(5);
    expectGradients((x, w) => linearCrossEntropy(x, w, targets).loss, [leaf(2, 3, 5), constant(4, 5)]);
    expectGradients((x, w) => linearCrossEntropy(x, w, targets).loss, [constant(2, 3, 5), leaf(4, 5)]);
  });
});
