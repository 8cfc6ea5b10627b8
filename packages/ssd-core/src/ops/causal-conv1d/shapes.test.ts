/** What the op refuses, and how it says it: op, argument, wanted, got. */
import { describe, expect, test } from 'vitest';
import { ArgumentError, ShapeError } from '../../errors.js';
import { type Refusal, randomConvInputs, thrownBy, zeroTensor } from '../../testing/index.js';
import { causalConv1dRef } from './causal-conv1d.js';
import { causalConv1dBackwardRef } from './causal-conv1d-backward.js';

describe('causalConv1d refuses', () => {
  const conv = randomConvInputs({ seqLen: 5 });
  test.each<Refusal>([
    [
      'x of rank 2',
      () => causalConv1dRef({ ...conv, x: zeroTensor([5, 3]) }),
      ShapeError,
      'x',
      /\(B, L, D\)/,
    ],
    [
      'weight of other channels',
      () => causalConv1dRef({ ...conv, weight: zeroTensor([4, 4]) }),
      ShapeError,
      'weight',
      /\(D, W\) = \(3, 4\)/,
    ],
    [
      'width 1',
      () => causalConv1dRef({ ...conv, weight: zeroTensor([3, 1]) }),
      ShapeError,
      'weight',
      /W >= 2/,
    ],
    [
      'an unknown activation',
      () => causalConv1dRef({ ...conv, activation: 'relu' as 'silu' }),
      ArgumentError,
      'activation',
      /'none' or 'silu', got 'relu'/,
    ],
    [
      'states of another width',
      () => causalConv1dRef({ ...conv, initialStates: zeroTensor([2, 3, 4]) }),
      ShapeError,
      'initialStates',
      /\(B, D, W-1\) = \(2, 3, 3\)/,
    ],
    [
      'bias of other channels',
      () => causalConv1dRef({ ...conv, bias: zeroTensor([2]) }),
      ShapeError,
      'bias',
      /\(3\)/,
    ],
    [
      'gradFinalStates of another shape',
      () => causalConv1dBackwardRef({ ...conv, gradOut: conv.x, gradFinalStates: zeroTensor([2, 3, 2]) }),
      ShapeError,
      'gradFinalStates',
      /\(B, D, W-1\)/,
    ],
  ])('%s', (_, call, error, argument, message) => {
    const thrown = thrownBy(call);
    expect(thrown).toBeInstanceOf(error);
    expect(thrown).toMatchObject({ argument, message: expect.stringMatching(message) });
  });
});
