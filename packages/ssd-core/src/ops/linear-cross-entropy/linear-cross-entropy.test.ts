import { describe, expect, test } from 'vitest';
import { ShapeError } from '../../errors.js';
import { hostTensor, maxRelativeError, randomSource, toIndexTensor } from '../../testing/index.js';
import { crossEntropyBackwardRef, crossEntropyRef } from '../cross-entropy/cross-entropy.js';
import { gemmRef } from '../gemm/gemm.js';
import { argmaxRef, reduceRef } from '../reduce/reduce.js';
import { linearCrossEntropyRef } from './linear-cross-entropy.js';

/** The same loss and gradients by separate ops that hold all logits. */
function unfused(inputs: Parameters<typeof linearCrossEntropyRef>[0]) {
  const { x, weight, bias, targets, ignoreIndex = -100 } = inputs;
  const logits = gemmRef({ a: x, b: weight, transposeB: true, ...(bias && { bias }) });
  const args = { logits, targets, ignoreIndex };
  const list = [...(targets.data as Int32Array)];
  const counted = list.filter((target) => target !== ignoreIndex).length;
  const loss = crossEntropyRef(args).data.reduce((a, b) => a + b, 0) / counted;
  const upstream = hostTensor(new Array(list.length).fill(1 / counted), [list.length]);
  const gradLogits = crossEntropyBackwardRef({ ...args, gradLosses: upstream });
  const best = argmaxRef({ x: logits }).data;
  return {
    loss,
    correct: list.filter((target, m) => target !== ignoreIndex && best[m] === target).length,
    gradX: gemmRef({ a: gradLogits, b: weight }),
    gradWeight: gemmRef({ a: gradLogits, b: x, transposeA: true }),
    gradBias: reduceRef({ op: 'sum', x: gradLogits, axes: [0] }),
  };
}

describe('linearCrossEntropy', () => {
  test.each([
    [1, 1, 2],
    [5, 3, 7],
    [32, 4, 9],
    [33, 4, 9],
    [97, 6, 65],
  ])('equals product and loss apart: M %i K %i V %i', (rows, features, classes) => {
    const random = randomSource(rows);
    const targets = toIndexTensor(
      Array.from({ length: rows }, (_, m) => (m % 4 === 3 ? -100 : random.integer(classes))),
    );
    const inputs = {
      x: random.normal([rows, features]),
      weight: random.normal([classes, features]),
      bias: random.normal([classes]),
      targets,
    };
    for (const args of [inputs, { x: inputs.x, weight: inputs.weight, targets }]) {
      const ours = linearCrossEntropyRef(args);
      const wanted = unfused(args);
      expect(ours.correct).toBe(wanted.correct);
      expect(ours.loss).toBeCloseTo(wanted.loss, 12);
      for (const name of ['gradX', 'gradWeight', 'gradBias'] as const) {
        expect(ours[name].shape).toEqual(wanted[name].shape);
        expect(maxRelativeError(ours[name], wanted[name])).toBeLessThan(1e-12);
      }
    }
  });

  test('no row counts: loss and gradients are 0', () => {
    const random = randomSource(3);
    const targets = toIndexTensor([7, 7]);
    const inputs = { x: random.normal([2, 3]), weight: random.normal([4, 3]), targets, ignoreIndex: 7 };
    const result = linearCrossEntropyRef(inputs);
    expect(result.loss).toBe(0);
    expect(result.correct).toBe(0);
    expect(result.gradX.data).toEqual(new Float64Array(6));
    expect(result.gradWeight.data).toEqual(new Float64Array(12));
  });

  test('names what does not fit', () => {
    const random = randomSource(4);
    const x = random.normal([2, 3]);
    const weight = random.normal([4, 3]);
    expect(() => linearCrossEntropyRef({ x, weight, targets: toIndexTensor([0, 4]) })).toThrow(
      'linearCrossEntropy: targets[1]: expected an index in [0, 4) or -100, got 4',
    );
    expect(() => linearCrossEntropyRef({ x, weight: x, targets: toIndexTensor([0]) })).toThrow(ShapeError);
    expect(() =>
      linearCrossEntropyRef({ x, weight: random.normal([4, 2]), targets: toIndexTensor([0, 1]) }),
    ).toThrow('linearCrossEntropy: weight: expected (V, K) = (4, 3), got (4, 2)');
  });
});
