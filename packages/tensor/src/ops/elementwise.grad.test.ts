import type { UnaryOp } from '@statespace/ssd-core';
import { describe, test } from 'vitest';
import { draws, expectGradients } from '../testing/tensors.js';
import { dropout } from './dropout.js';
import { unary } from './unary.js';

const anywhere: UnaryOp[] = [
  'neg',
  'abs',
  'square',
  'exp',
  'expm1',
  'sin',
  'cos',
  'tanh',
  'sigmoid',
  'logSigmoid',
  'silu',
  'softplus',
  'relu',
  'gelu',
  'geluTanh',
];
const whenPositive: UnaryOp[] = ['sqrt', 'rsqrt', 'reciprocal', 'log', 'log1p'];

describe('unary', () => {
  test.each(anywhere)('%s', (op) => {
    const { leaf } = draws(1);
    expectGradients((x) => unary(op, x), [leaf(3, 4)]);
    expectGradients((x) => unary(op, x.transpose(0, 1).slice(0, 1, 3)), [leaf(3, 4)]);
  });
  test.each(whenPositive)('%s', (op) => {
    const { positive } = draws(2);
    expectGradients((x) => unary(op, x), [positive(3, 4)]);
  });
});

describe.each(['add', 'sub', 'mul', 'div', 'maximum', 'minimum'] as const)('%s', (op) => {
  test.each([
    [
      [2, 3],
      [2, 3],
    ],
    [[2, 3], [3]],
    [
      [2, 1, 3],
      [4, 1],
    ],
    [[], [2, 2]],
    [[1], [2, 2]],
  ])('of shapes %j and %j', (a, b) => {
    const { positive } = draws(3);
    expectGradients((x, y) => x[op](y), [positive(...a), positive(...b)]);
  });
  test('with a number, a view and itself', () => {
    const { leaf, positive } = draws(4);
    expectGradients((x) => x[op](0.75), [leaf(5)]);
    expectGradients((x, y) => x.transpose(0, 1)[op](y.slice(1, 1, 3)), [leaf(2, 3), positive(3, 4)]);
    if (op !== 'maximum' && op !== 'minimum') expectGradients((x) => x[op](x.mul(1.5)), [positive(4)]);
  });
});

test('dropout passes gradients where it passed values', () => {
  const { leaf, generator } = draws(5);
  const state = generator.state();
  expectGradients(
    (x) => {
      generator.setState(state);
      return dropout(x, 0.4, { generator });
    },
    [leaf(4, 7)],
  );
});
