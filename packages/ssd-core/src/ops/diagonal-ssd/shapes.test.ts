/** What the op refuses, and how it says it: op, argument, wanted, got. */
import { describe, expect, test } from 'vitest';
import { ArgumentError, DTypeError, ShapeError } from '../../errors.js';
import { type Refusal, randomDiagonalSsdInputs, thrownBy, zeroTensor } from '../../testing/index.js';
import { diagonalSsdRef } from './diagonal-ssd.js';
import { diagonalSsdBackwardRef } from './diagonal-ssd-backward.js';
import { checkDiagonalSsdGradients, checkDiagonalSsdShapes } from './shapes.js';

describe('diagonalSsd refuses', () => {
  const ssd = randomDiagonalSsdInputs({ seqLen: 5 });
  const withGradA = (shape: number[]) => () => {
    const args = { ...ssd, gradOut: ssd.x, gradA: zeroTensor(shape) };
    checkDiagonalSsdGradients(
      'diagonalSsdBackward',
      checkDiagonalSsdShapes('diagonalSsdBackward', args),
      args,
    );
  };
  test.each<Refusal>([
    [
      'A of one rate per head',
      () => diagonalSsdRef({ ...ssd, A: zeroTensor([4]) }),
      ShapeError,
      'A',
      /\(H, N\)/,
    ],
    [
      'A of other states',
      () => diagonalSsdRef({ ...ssd, A: zeroTensor([4, 4]) }),
      ShapeError,
      'A',
      /diagonalSsd: A: expected \(H, N\) = \(4, 5\), got \(4, 4\)/,
    ],
    ['A transposed', () => diagonalSsdRef({ ...ssd, A: zeroTensor([5, 4]) }), ShapeError, 'A', /\(5, 4\)/],
    [
      'A of integers',
      () => diagonalSsdRef({ ...ssd, A: { data: new Int32Array(20), shape: [4, 5] } }),
      DTypeError,
      'A',
      /i32/,
    ],
    [
      'x of rank 3',
      () => diagonalSsdRef({ ...ssd, x: zeroTensor([2, 5, 12]) }),
      ShapeError,
      'x',
      /\(B, L, H, P\)/,
    ],
    [
      'dt per channel',
      () => diagonalSsdRef({ ...ssd, dt: zeroTensor([2, 5, 4, 3]) }),
      ShapeError,
      'dt',
      /\(B, L, H\)/,
    ],
    [
      'groups that do not divide H',
      () => diagonalSsdRef({ ...ssd, B: zeroTensor([2, 5, 3, 5]), C: zeroTensor([2, 5, 3, 5]) }),
      ShapeError,
      'B',
      /divides 4/,
    ],
    [
      'C unlike B',
      () => diagonalSsdRef({ ...ssd, C: zeroTensor([2, 5, 2, 4]) }),
      ShapeError,
      'C',
      /\(2, 5, 2, 5\)/,
    ],
    [
      'a chunk size of 0',
      () => diagonalSsdRef({ ...ssd, chunkSize: 0 }),
      ArgumentError,
      'chunkSize',
      /positive integer, got 0/,
    ],
    [
      'limits out of order',
      () => diagonalSsdRef({ ...ssd, dtLimit: [1, 0.5] }),
      ArgumentError,
      'dtLimit',
      /low <= high/,
    ],
    [
      'states of another shape',
      () => diagonalSsdRef({ ...ssd, initialStates: zeroTensor([2, 4, 5, 3]) }),
      ShapeError,
      'initialStates',
      /\(B, H, P, N\) = \(2, 4, 3, 5\)/,
    ],
    [
      'gradOut of another shape',
      () => diagonalSsdBackwardRef({ ...ssd, gradOut: zeroTensor([2, 5, 12]) }),
      ShapeError,
      'gradOut',
      /diagonalSsdBackward: gradOut: expected \(B, L, H, P\)/,
    ],
    ['gradA of one number per head', withGradA([4]), ShapeError, 'gradA', /\(4, 5\), got \(4\)/],
  ])('%s', (_, call, error, argument, message) => {
    const thrown = thrownBy(call);
    expect(thrown).toBeInstanceOf(error);
    expect(thrown).toMatchObject({ argument, message: expect.stringMatching(message) });
  });
});
