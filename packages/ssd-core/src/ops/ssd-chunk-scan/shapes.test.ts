/** What the op refuses, and how it says it: op, argument, wanted, got. */
import { describe, expect, test } from 'vitest';
import { ArgumentError, ShapeError } from '../../errors.js';
import { type Refusal, randomSsdInputs, thrownBy, zeroTensor } from '../../testing/index.js';
import { ssdChunkScanRef } from './ssd-chunk-scan.js';
import { ssdChunkScanBackwardRef } from './ssd-chunk-scan-backward.js';

describe('ssdChunkScan refuses', () => {
  const ssd = randomSsdInputs({ seqLen: 5 });
  const limited = (low: number, high: number) => () => ssdChunkScanRef({ ...ssd, dtLimit: [low, high] });
  test.each<Refusal>([
    [
      'x of rank 3',
      () => ssdChunkScanRef({ ...ssd, x: zeroTensor([2, 5, 12]) }),
      ShapeError,
      'x',
      /\(B, L, H, P\)/,
    ],
    [
      'dt of other heads',
      () => ssdChunkScanRef({ ...ssd, dt: zeroTensor([2, 5, 3]) }),
      ShapeError,
      'dt',
      /\(2, 5, 4\)/,
    ],
    [
      'A of rank 2',
      () => ssdChunkScanRef({ ...ssd, A: zeroTensor([4, 5]) }),
      ShapeError,
      'A',
      /\(H\) = \(4\)/,
    ],
    [
      'groups that do not divide H',
      () => ssdChunkScanRef({ ...ssd, B: zeroTensor([2, 5, 3, 5]), C: zeroTensor([2, 5, 3, 5]) }),
      ShapeError,
      'B',
      /divides 4/,
    ],
    [
      'no groups',
      () => ssdChunkScanRef({ ...ssd, B: zeroTensor([2, 5, 0, 5]), C: zeroTensor([2, 5, 0, 5]) }),
      ShapeError,
      'B',
      /divides 4, got 0/,
    ],
    [
      'C unlike B',
      () => ssdChunkScanRef({ ...ssd, C: zeroTensor([2, 5, 2, 4]) }),
      ShapeError,
      'C',
      /\(2, 5, 2, 5\)/,
    ],
    [
      'D of other channels',
      () => ssdChunkScanRef({ ...ssd, D: zeroTensor([4, 4]) }),
      ShapeError,
      'D',
      /\(H, P\) = \(4, 3\)/,
    ],
    [
      'a chunk size of 0',
      () => ssdChunkScanRef({ ...ssd, chunkSize: 0 }),
      ArgumentError,
      'chunkSize',
      /positive integer, got 0/,
    ],
    ['half a chunk', () => ssdChunkScanRef({ ...ssd, chunkSize: 2.5 }), ArgumentError, 'chunkSize', /2\.5/],
    ['limits out of order', limited(1, 0.5), ArgumentError, 'dtLimit', /low <= high/],
    ['a limit that is no number', limited(Number.NaN, 1), ArgumentError, 'dtLimit', /NaN/],
    [
      'states of another shape',
      () => ssdChunkScanRef({ ...ssd, initialStates: zeroTensor([2, 4, 5, 3]) }),
      ShapeError,
      'initialStates',
      /\(B, H, P, N\) = \(2, 4, 3, 5\)/,
    ],
    [
      'gradOut of another shape',
      () => ssdChunkScanBackwardRef({ ...ssd, gradOut: zeroTensor([2, 5, 12]) }),
      ShapeError,
      'gradOut',
      /\(B, L, H, P\)/,
    ],
  ])('%s', (_, call, error, argument, message) => {
    const thrown = thrownBy(call);
    expect(thrown).toBeInstanceOf(error);
    expect(thrown).toMatchObject({ argument, message: expect.stringMatching(message) });
  });
});
