/** What the op refuses, and how it says it: op, argument, wanted, got. */
import { describe, expect, test } from 'vitest';
import { ArgumentError, ShapeError } from '../../errors.js';
import { type Refusal, thrownBy, toIndexTensor, zeroTensor } from '../../testing/index.js';
import { causalConv1dUpdateRef } from './causal-conv1d-update.js';

describe('causalConv1dUpdate refuses', () => {
  const base = { x: zeroTensor([2, 3]), convState: zeroTensor([2, 3, 4]), weight: zeroTensor([3, 4]) };
  test.each<Refusal>([
    [
      'x of rank 1',
      () => causalConv1dUpdateRef({ ...base, x: zeroTensor([3]) }),
      ShapeError,
      'x',
      /\(B, D\) or \(B, L, D\)/,
    ],
    [
      'too short a state',
      () => causalConv1dUpdateRef({ ...base, convState: zeroTensor([2, 3, 2]) }),
      ShapeError,
      'convState',
      /S >= W-1 = 3/,
    ],
    [
      'a state of another batch',
      () => causalConv1dUpdateRef({ ...base, convState: zeroTensor([3, 3, 4]) }),
      ShapeError,
      'convState',
      /\(2, 3, 4\)/,
    ],
    [
      'negative lengths',
      () => causalConv1dUpdateRef({ ...base, cacheSeqlens: toIndexTensor([0, -1]) }),
      ArgumentError,
      'cacheSeqlens[1]',
      /0 or more/,
    ],
    [
      'an index out of range',
      () => causalConv1dUpdateRef({ ...base, convStateIndices: toIndexTensor([0, 2]) }),
      ArgumentError,
      'convStateIndices[1]',
      /below 2/,
    ],
  ])('%s', (_, call, error, argument, message) => {
    const thrown = thrownBy(call);
    expect(thrown).toBeInstanceOf(error);
    expect(thrown).toMatchObject({ argument, message: expect.stringMatching(message) });
  });
});
