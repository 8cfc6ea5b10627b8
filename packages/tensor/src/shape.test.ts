import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arange } from './create.js';
import { broadcastShapes, inferShape, viewStrides } from './shape.js';
import type { Tensor } from './tensor.js';

/** A view made by a few random steps from a tensor of distinct numbers. */
const views = fc
  .tuple(
    fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
    fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.nat(), fc.nat()), { maxLength: 4 }),
  )
  .map(([shape, steps]) => {
    let x: Tensor = arange(
      shape.reduce((a, b) => a * b, 1),
      { device: 'reference' },
    ).reshape(shape);
    for (const [kind, a, b] of steps) {
      const axis = a % x.rank;
      const size = x.shape[axis] as number;
      if (kind === 0) x = x.transpose(axis, b % x.rank);
      else if (kind === 1) x = x.slice(axis, b % size, size);
      else if (kind === 2) x = x.unsqueeze(b % (x.rank + 1));
      else if (size === 1) x = x.expand(x.shape.with(axis, 1 + (b % 3)));
    }
    return x;
  });

/** A random way to write `count` as a shape. */
function factors(count: number, seed: number): number[] {
  const shape: number[] = [];
  let left = count;
  for (let divisor = 2, draw = seed; left > 1; divisor++) {
    while (left % divisor === 0) {
      draw = (draw * 31 + 7) % 1009;
      if (draw % 3 === 0 && shape.length > 0) shape[shape.length - 1] = (shape.at(-1) as number) * divisor;
      else shape.push(divisor);
      if (draw % 5 === 0) shape.push(1);
      left /= divisor;
    }
  }
  return shape;
}

describe('any view', () => {
  test('reshapes to the same elements in the same order, without a copy where strides exist', () => {
    fc.assert(
      fc.property(views, fc.nat(1000), (x, seed) => {
        const target = factors(x.size, seed);
        const copied = x.clone().reshape(target);
        const reshaped = x.reshape(target);
        expect(reshaped.shape).toEqual(target);
        expect(reshaped.toArray()).toEqual(copied.toArray());
        if (x.isContiguous) expect(reshaped.data).toBe(x.data);
        if (viewStrides(x.shape, x.strides, target) === undefined) expect(reshaped.isContiguous).toBe(true);
      }),
      { seed: 1, numRuns: 500 },
    );
  });
  test('computes as its row-major copy', () => {
    fc.assert(
      fc.property(views, (x) => {
        const copy = x.clone();
        expect(x.add(1).toArray()).toEqual(copy.add(1).toArray());
        expect(x.mul(x.unsqueeze(0)).toArray()).toEqual(copy.mul(copy).toArray());
        expect(x.sum(0).toArray()).toEqual(copy.sum(0).toArray());
        expect(x.softmax().toArray()).toEqual(copy.softmax().toArray());
      }),
      { seed: 2, numRuns: 200 },
    );
  });
});

describe('shapes', () => {
  test('broadcast from the last axis', () => {
    expect(broadcastShapes('op', [2, 1, 3], [4, 1])).toEqual([2, 4, 3]);
    expect(broadcastShapes('op', [], [2])).toEqual([2]);
    expect(broadcastShapes('op', [0, 1], [1, 3])).toEqual([0, 3]);
    expect(() => broadcastShapes('op', [2], [3])).toThrow(
      /op: b: expected a shape that broadcasts with \(2\)/,
    );
  });
  test('infer one axis', () => {
    expect(inferShape('op', [2, -1], 6)).toEqual([2, 3]);
    expect(inferShape('op', [-1], 0)).toEqual([0]);
    expect(() => inferShape('op', [0, -1], 0)).toThrow();
    expect(() => inferShape('op', [-2, -3], 6)).toThrow();
  });
});
