import { describe, expect, test } from 'vitest';
import { draws, expectGradients, ids } from '../testing/tensors.js';
import { concat, stack } from './concat.js';
import { embedding } from './embedding.js';
import { split } from './split.js';

describe('views', () => {
  const { leaf } = draws(1);
  test.each([
    ['reshape', (x) => x.reshape([4, -1]).square()],
    ['reshape of a transpose, which copies', (x) => x.transpose(0, 1).reshape([2, 6]).square()],
    ['flatten', (x) => x.unsqueeze(0).flatten(1).square()],
    ['permute', (x) => x.reshape([2, 3, 2]).permute([2, 0, 1]).square()],
    ['slice', (x) => x.slice(1, 1, 3).square()],
    ['overlapping slices', (x) => x.slice(1, 0, 3).mul(x.slice(1, 1, 4))],
    [
      'many slices into one buffer',
      (x) => [x.slice(1, 0, 1).exp(), x.slice(0, 1, 2).sin(), x.slice(1, 2, 4).square()],
    ],
    ['select', (x) => x.select(1, -1).mul(x.select(1, 0))],
    ['squeeze and unsqueeze', (x) => x.unsqueeze(1).square().squeeze(1)],
    ['expand', (x) => x.unsqueeze(1).expand([2, 3, 5, 4].slice(1)).mul(2).square()],
    ['contiguous', (x) => x.transpose(0, 1).contiguous().square()],
    ['clone', (x) => x.clone().square()],
    ['cast to f64 and back is the identity', (x) => x.cast('f64').square()],
  ] as [string, Parameters<typeof expectGradients>[0]][])('%s', (_, fn) => {
    expectGradients(fn, [leaf(3, 4)]);
  });
});

describe('split, concat, stack', () => {
  const { leaf } = draws(2);
  test('split', () => {
    expectGradients((x) => split(x, [1, 0, 3], 1).map((part) => part.square()), [leaf(2, 4)]);
    expectGradients((x) => split(x, [2, 2], -1)[1]?.exp() ?? x, [leaf(2, 4)]);
  });
  test('concat', () => {
    expectGradients((a, b) => concat([a, b.transpose(0, 1), a], 1).square(), [leaf(2, 3), leaf(2, 2)]);
    expectGradients((a, b) => concat([a, b], 0).square(), [leaf(2, 3), leaf(1, 3)]);
  });
  test('stack', () => {
    expectGradients((a, b) => stack([a, b], 1).square(), [leaf(2, 3), leaf(2, 3)]);
  });
});

describe('reductions', () => {
  const { leaf } = draws(3);
  test.each(['sum', 'mean', 'max'] as const)('%s', (op) => {
    const x = leaf(2, 3, 4);
    expectGradients((a) => a[op]().square(), [x]);
    expectGradients((a) => a[op](1).square(), [x]);
    expectGradients((a) => a[op]([0, -1], true).square(), [x]);
    expectGradients((a) => a.transpose(0, 2)[op](0).square(), [x]);
    expectGradients((a) => a.select(0, 0).select(0, 0).select(0, 0)[op]().square(), [x]);
  });
  test('equal largest elements share the gradient', () => {
    const { constant } = draws(4);
    const x = constant(2, 2).fill(3);
    x.requiresGrad = true;
    x.max(1).sum().backward();
    expect([...(x.grad?.toArray() ?? [])]).toEqual([0.5, 0.5, 0.5, 0.5]);
  });
});

test('embedding, with repeated ids and a shape of ids', () => {
  const { leaf } = draws(5);
  const tokens = ids([0, 2, 2, 1, 0, 2], [2, 3]);
  expectGradients((weight) => embedding(weight, tokens).square(), [leaf(4, 3)]);
  expectGradients(
    (weight) => embedding(weight, tokens).square().sum().add(weight.square().sum()),
    [leaf(4, 3)],
  );
});
