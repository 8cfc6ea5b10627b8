import { describe, expect, test } from 'vitest';
import { ArgumentError, DTypeError, ShapeError } from '../../errors.js';
import { hostTensor, maxRelativeError, nnCases, randomSource, toIndexTensor } from '../../testing/index.js';
import { crossEntropyBackwardRef, crossEntropyRef } from './cross-entropy.js';

describe('crossEntropy', () => {
  test.each(nnCases('cross-entropy'))('golden $name', ({ params, golden, inputs, outputs }) => {
    const targets = toIndexTensor(golden.inputs.targets!);
    const args = {
      logits: inputs.logits!,
      targets,
      ignoreIndex: params.ignore_index as number,
      labelSmoothing: params.label_smoothing as number,
    };
    const losses = crossEntropyRef(args);
    const counted = targets.data.filter((target) => target !== params.ignore_index).length;
    const sum = losses.data.reduce((a, b) => a + b, 0);
    const reductions = { none: losses.data, sum: [sum], mean: [sum / counted] };
    const reduction = params.reduction as keyof typeof reductions;
    expect(maxRelativeError(reductions[reduction], outputs.y!)).toBeLessThan(1e-12);

    const upstream =
      inputs.grad_y ?? hostTensor(new Array(12).fill(reduction === 'mean' ? 1 / counted : 1), [12]);
    const grad = crossEntropyBackwardRef({ ...args, gradLosses: upstream });
    expect(maxRelativeError(grad, outputs.grad_logits!)).toBeLessThan(1e-12);
  });

  test('a certain answer costs nothing, equal logits cost log V, large ones do not overflow', () => {
    const logits = hostTensor([1000, 0, 0, 0, 7, 7, 7, 7], [2, 4]);
    const losses = crossEntropyRef({ logits, targets: toIndexTensor([0, 3]) });
    expect(losses.data[0]).toBe(0);
    expect(losses.data[1]).toBeCloseTo(Math.log(4), 14);
  });

  test('rows ignored cost 0 and get gradient 0, even with NaN logits', () => {
    const logits = hostTensor([Number.NaN, 1, 2, 3], [2, 2]);
    const args = { logits, targets: toIndexTensor([5, 1]), ignoreIndex: 5 };
    expect(crossEntropyRef(args).data[0]).toBe(0);
    expect([
      ...crossEntropyBackwardRef({ ...args, gradLosses: hostTensor([1, 1], [2]) }).data.slice(0, 2),
    ]).toEqual([0, 0]);
  });

  test('names what does not fit', () => {
    const logits = randomSource(1).normal([2, 3]);
    const call =
      (targets: number[], options = {}) =>
      () =>
        crossEntropyRef({ logits, targets: toIndexTensor(targets), ...options });
    expect(call([0, 3])).toThrow('crossEntropy: targets[1]: expected an index in [0, 3) or -100, got 3');
    expect(call([-1, 0])).toThrow(ArgumentError);
    expect(call([0])).toThrow(ShapeError);
    expect(call([0, 0], { labelSmoothing: 1.5 })).toThrow(/labelSmoothing: expected a number in \[0, 1\]/);
    expect(call([0, 0], { ignoreIndex: 0.5 })).toThrow(/ignoreIndex/);
    const floats = { data: Float32Array.of(0, 1), shape: [2] };
    expect(() => crossEntropyRef({ logits, targets: floats })).toThrow(DTypeError);
    expect(() => crossEntropyRef({ logits: hostTensor([1], [1]), targets: toIndexTensor([0]) })).toThrow(
      'crossEntropy: logits: expected (M, V), got (1)',
    );
  });
});
