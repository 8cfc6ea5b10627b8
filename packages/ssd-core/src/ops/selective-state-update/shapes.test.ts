/** What the op refuses, and how it says it: op, argument, wanted, got. */
import { describe, expect, test } from 'vitest';
import { ArgumentError, ShapeError } from '../../errors.js';
import {
  type Refusal,
  randomUpdateInputs,
  thrownBy,
  toIndexTensor,
  zeroTensor,
} from '../../testing/index.js';
import { selectiveStateUpdateRef } from './selective-state-update.js';

describe('selectiveStateUpdate refuses', () => {
  const update = randomUpdateInputs({});
  const heads = randomUpdateInputs({ nHeads: 4 });
  const rows =
    (...indices: number[]) =>
    () =>
      selectiveStateUpdateRef({ ...update, stateBatchIndices: toIndexTensor(indices) });
  test.each<Refusal>([
    [
      'a state of rank 2',
      () => selectiveStateUpdateRef({ ...update, state: zeroTensor([3, 4]) }),
      ShapeError,
      'state',
      /\(B, D, N\) or \(B, H, P, N\)/,
    ],
    [
      'a state of another batch',
      () => selectiveStateUpdateRef({ ...update, state: zeroTensor([2, 6, 4]) }),
      ShapeError,
      'state',
      /\(3, 6, 4\), got \(2, 6, 4\)/,
    ],
    [
      'a state that is not contiguous',
      () => selectiveStateUpdateRef({ ...update, state: { ...update.state, strides: [24, 1, 6] } }),
      ShapeError,
      'state',
      /contiguous/,
    ],
    [
      'x without heads',
      () => selectiveStateUpdateRef({ ...heads, x: zeroTensor([3, 8]) }),
      ShapeError,
      'x',
      /\(B, H, P\)/,
    ],
    [
      'dt neither per head nor per channel',
      () => selectiveStateUpdateRef({ ...heads, dt: zeroTensor([3, 8]) }),
      ShapeError,
      'dt',
      /\(B, H\) or \(B, H, P\)/,
    ],
    [
      'A of Mamba-1 without states',
      () => selectiveStateUpdateRef({ ...update, A: zeroTensor([6]) }),
      ShapeError,
      'A',
      /\(D, N\)/,
    ],
    [
      'A of other heads',
      () => selectiveStateUpdateRef({ ...heads, A: zeroTensor([3]) }),
      ShapeError,
      'A',
      /\(H\) or \(H, P, N\)/,
    ],
    [
      'groups that do not divide D',
      () => selectiveStateUpdateRef({ ...update, B: zeroTensor([3, 4, 4]), C: zeroTensor([3, 4, 4]) }),
      ShapeError,
      'B',
      /divides 6/,
    ],
    ['an index out of range', rows(0, 3, 1), ArgumentError, 'stateBatchIndices[1]', /below 3/],
    ['a row used twice', rows(1, -1, 1), ArgumentError, 'stateBatchIndices[2]', /used once/],
    ['indices for another batch', rows(0, 1), ShapeError, 'stateBatchIndices', /\(B\) = \(3\)/],
  ])('%s', (_, call, error, argument, message) => {
    const thrown = thrownBy(call);
    expect(thrown).toBeInstanceOf(error);
    expect(thrown).toMatchObject({ argument, message: expect.stringMatching(message) });
  });
});
