import { describe, expect, test } from 'vitest';
import { ShapeError } from '../../errors.js';
import {
  dot,
  finiteDifferenceGradient,
  hostTensor,
  maxRelativeError,
  nnCase,
  randomSource,
} from '../../testing/index.js';
import { softmaxBackwardRef, softmaxRef } from './softmax.js';

describe.each([
  { log: false, golden: 'softmax' },
  { log: true, golden: 'log-softmax' },
])('softmax, log $log', ({ log, golden }) => {
  test('golden', () => {
    const { inputs, outputs } = nnCase(golden);
    const out = softmaxRef({ x: inputs.x!, log });
    expect(maxRelativeError(out, outputs.y!)).toBeLessThan(1e-12);
    expect(
      maxRelativeError(softmaxBackwardRef({ out, gradOut: inputs.grad_y!, log }), outputs.grad_x!),
    ).toBeLessThan(1e-12);
  });

  test('gradient equals finite differences', () => {
    const random = randomSource(41);
    const x = random.normal([3, 6]);
    const upstream = random.normal([3, 6]);
    const loss = () => dot(softmaxRef({ x, log }).data, upstream.data);
    const numeric = finiteDifferenceGradient(loss, x.data);
    expect(
      maxRelativeError(softmaxBackwardRef({ out: softmaxRef({ x, log }), gradOut: upstream, log }), numeric),
    ).toBeLessThan(1e-9);
  });

  test('does not change under a shift, however large', () => {
    const x = randomSource(42).normal([2, 5]);
    const shifted = hostTensor(
      x.data.map((value) => value + 2 ** 20),
      [2, 5],
    );
    expect(maxRelativeError(softmaxRef({ x: shifted, log }), softmaxRef({ x, log }))).toBeLessThan(1e-9);
  });
});

describe('softmax', () => {
  test('rows sum to 1; -Infinity has probability 0', () => {
    const out = softmaxRef({ x: hostTensor([0, 1, Number.NEGATIVE_INFINITY, 900], [1, 4]) });
    expect(out.data.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 14);
    expect(out.data[2]).toBe(0);
  });

  test('empty rows are empty; a scalar is refused', () => {
    expect(softmaxRef({ x: hostTensor([], [3, 0]) }).data.length).toBe(0);
    expect(softmaxRef({ x: hostTensor([], [0, 3]) }).data.length).toBe(0);
    expect(() => softmaxRef({ x: hostTensor([1], []) })).toThrow(ShapeError);
  });
});
