import { describe, expect, test } from 'vitest';
import { ones, tensor, zeros } from '../create.js';
import { embedding } from '../ops/embedding.js';
import { linear } from '../ops/linear.js';
import { linearCrossEntropy } from '../ops/linear-cross-entropy.js';
import { split } from '../ops/split.js';
import { parameter } from '../parameter.js';
import { scope } from '../scope.js';
import { memoryStats } from '../storage.js';
import type { Tensor } from '../tensor.js';
import { draws, ids } from '../testing/tensors.js';
import { gradcheck } from './gradcheck.js';
import { isGradEnabled, noGrad } from './mode.js';

const numbers = (x: Tensor | undefined) => [...(x?.toArray() ?? [])];
const leafOf = (...values: number[]) =>
  tensor(new Float64Array(values), { device: 'reference', requiresGrad: true });

describe('backward', () => {
  test('adds to the gradients of leaves, call by call', () => {
    const x = leafOf(1, 2);
    x.square().sum().backward();
    expect(numbers(x.grad)).toEqual([2, 4]);
    const first = x.grad;
    x.mul(3).sum().backward();
    expect(numbers(x.grad)).toEqual([5, 7]);
    expect(x.grad).toBe(first);
    x.grad = undefined;
    x.sum().backward();
    expect(numbers(x.grad)).toEqual([1, 1]);
  });

  test('of a diamond sums both ways', () => {
    const x = leafOf(2);
    const y = x.mul(3);
    y.mul(y).add(y).sum().backward();
    expect(numbers(x.grad)).toEqual([2 * 9 * 2 + 3]);
  });

  test('of x + f(x) leaves the shared gradient alone', () => {
    const x = leafOf(1, 2);
    const w = leafOf(3, 4);
    x.add(x.mul(w)).add(w).sum().backward();
    expect(numbers(x.grad)).toEqual([4, 5]);
    expect(numbers(w.grad)).toEqual([2, 3]);
  });

  test('takes an upstream gradient and keeps it intact', () => {
    const x = leafOf(1, 2);
    const upstream = tensor(new Float64Array([10, 100]), { device: 'reference' });
    x.backward(upstream);
    x.square().backward(upstream);
    expect(numbers(x.grad)).toEqual([30, 500]);
    expect(numbers(upstream)).toEqual([10, 100]);
    expect(x.grad).not.toBe(upstream);
  });

  test('computes only wanted gradients, and none for constants', () => {
    const x = leafOf(1, 2);
    const constant = leafOf(5, 6);
    constant.requiresGrad = false;
    x.mul(constant).sum().backward();
    expect(numbers(x.grad)).toEqual([5, 6]);
    expect(constant.grad).toBeUndefined();
  });

  test('goes through 20,000 ops without a deep call stack, and so does disposal', () => {
    const x = leafOf(1);
    scope(() => {
      let y: Tensor = x;
      for (let i = 0; i < 20_000; i++) y = y.add(1);
      y.backward();
      let z: Tensor = x;
      for (let i = 0; i < 20_000; i++) z = z.add(1);
    });
    expect(numbers(x.grad)).toEqual([1]);
  });

  test('flows through other float formats, and not through integers', () => {
    const x = leafOf(1.5, 2.25);
    x.cast('f32').cast('bf16').cast('f64').mul(3).sum().backward();
    expect(numbers(x.grad)).toEqual([3, 3]);
    expect(x.cast('i32').requiresGrad).toBe(false);
  });

  test('fills the parts of a split that nobody used with zeros', () => {
    const x = leafOf(1, 2, 3);
    const [, middle] = split(x, [1, 1, 1], 0);
    middle?.square().sum().backward();
    expect(numbers(x.grad)).toEqual([0, 4, 0]);
  });

  test('gathers the gradient of a tied table from head and embedding in one buffer', () => {
    const { constant } = draws(7);
    const table = parameter(constant(5, 3));
    const tokens = ids([0, 2, 2, 4]);
    linearCrossEntropy(embedding(table, tokens), table, ids([2, 2, 4, 1])).loss.backward();
    const tied = numbers(table.grad);
    table.grad = undefined;
    const copy = table.detach();
    copy.requiresGrad = true;
    linearCrossEntropy(embedding(copy, tokens), table, ids([2, 2, 4, 1])).loss.backward();
    const apart = numbers(copy.grad).map((value, i) => value + (numbers(table.grad)[i] as number));
    tied.forEach((value, i) => {
      expect(value).toBeCloseTo(apart[i] as number, 14);
    });
  });
});

describe('what backward refuses', () => {
  test('a second time', () => {
    const y = leafOf(1, 2).square().sum();
    y.backward();
    expect(() => y.backward()).toThrow(/freed by an earlier backward/);
  });
  test('a graph of which a part was used before, before it changes anything', () => {
    const x = leafOf(1, 2);
    const shared = x.square();
    shared.sum().backward();
    const before = numbers(x.grad);
    expect(() => shared.mul(2).sum().backward()).toThrow(/square/);
    expect(numbers(x.grad)).toEqual(before);
  });
  test('second derivatives', () => {
    const x = leafOf(1, 2);
    x.square().sum().backward();
    expect(() => x.grad?.square().sum().backward()).toThrow(/Only first derivatives/);
    expect(() => x.square().backward(leafOf(1, 1))).toThrow(/Only first derivatives/);
  });
  test('a result without a graph, more than one number, a wrong shape', () => {
    expect(() => ones([1], { device: 'reference' }).backward()).toThrow(/requiresGrad/);
    expect(() => leafOf(1, 2).square().backward()).toThrow(/shape \(2\)/);
    expect(() =>
      leafOf(1, 2)
        .square()
        .backward(zeros([3], { device: 'reference', dtype: 'f64' })),
    ).toThrow(/\(2\)/);
  });
  test('saved values that changed in place', () => {
    const x = leafOf(1, 2);
    const y = x.square().sum();
    x.copyFrom(new Float64Array([3, 4]));
    expect(() => y.backward()).toThrow(/changed in place/);
  });
  test('gradients of integers', () => {
    expect(() => (ids([1]).requiresGrad = true)).toThrow(/f32 or f64/);
  });
});

describe('graph', () => {
  test('keeps what backward needs after the scope that made it', () => {
    const x = leafOf(1, 2);
    const loss = scope(() => x.exp().square().sum());
    const before = memoryStats().buffers;
    loss.backward();
    expect(memoryStats().buffers).toBeLessThan(before + 1);
    expect(numbers(x.grad)[0]).toBeCloseTo(2 * Math.exp(2), 12);
  });
  test('gives its memory back when its result is disposed instead', () => {
    const x = leafOf(1, 2);
    const before = memoryStats().buffers;
    const loss = scope(() => x.exp().square().tanh().sum());
    expect(memoryStats().buffers).toBeGreaterThan(before + 2);
    loss.dispose();
    expect(memoryStats().buffers).toBe(before);
  });
  test('is not recorded in noGrad, for constants, or of detached tensors', () => {
    const x = leafOf(1);
    const y = noGrad(() => {
      expect(isGradEnabled()).toBe(false);
      return x.square();
    });
    expect(isGradEnabled()).toBe(true);
    expect([y.requiresGrad, x.detach().square().requiresGrad, x.square().requiresGrad]).toEqual([
      false,
      false,
      true,
    ]);
    expect(() => noGrad(async () => 1)).toThrow(/asynchronous/);
  });
  test('requiresGrad of a result cannot be taken back', () => {
    expect(() => {
      leafOf(1).square().requiresGrad = false;
    }).toThrow(/detach/);
  });
});

describe('gradcheck', () => {
  test('finds a wrong gradient', () => {
    const x = leafOf(1, 2);
    // The detached factor hides half of the derivative.
    const result = gradcheck((a) => a.mul(a.detach()), [x]);
    expect(result).toMatchObject({ passed: false, worst: { input: 0 } });
  });
  test('finds a missing gradient', () => {
    expect(gradcheck((a) => a.detach().square(), [leafOf(3)]).passed).toBe(false);
  });
  test('leaves inputs and their gradients as they were', () => {
    const x = leafOf(1, 2);
    gradcheck((a) => a.exp(), [x]);
    expect(numbers(x)).toEqual([1, 2]);
    expect(x.grad).toBeUndefined();
  });
  test('refuses inputs it cannot judge', () => {
    const f32 = tensor([1], { device: 'reference', requiresGrad: true });
    expect(() => gradcheck((a) => a.square(), [f32])).toThrow(/f64 on reference/);
    expect(() => gradcheck((a) => a.square(), [f32.detach()])).toThrow(/at least one/);
  });
  test('works through linear', () => {
    const { leaf } = draws(3);
    expect(gradcheck(linear, [leaf(2, 3), leaf(4, 3)]).passed).toBe(true);
  });
});
