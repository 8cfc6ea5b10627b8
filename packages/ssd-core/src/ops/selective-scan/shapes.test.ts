/** What the op refuses, and how it says it: op, argument, wanted, got. */
import { describe, expect, test } from 'vitest';
import { ArgumentError, DisposedError, DTypeError, ShapeError } from '../../errors.js';
import { type Refusal, randomScanInputs, thrownBy, toIndexTensor, zeroTensor } from '../../testing/index.js';
import { selectiveScanRef } from './selective-scan.js';
import { selectiveScanBackwardRef } from './selective-scan-backward.js';

describe('selectiveScan refuses', () => {
  const scan = randomScanInputs({ seqLen: 5 });
  const packed = randomScanInputs({ batch: 1, seqLen: 5, cuSeqlens: [0, 2, 5] });
  const complex = randomScanInputs({ seqLen: 5, complex: true });
  const withBounds =
    (...bounds: number[]) =>
    () =>
      selectiveScanRef({ ...packed, initialState: undefined, cuSeqlens: toIndexTensor(bounds) });
  test.each<Refusal>([
    [
      'u of rank 2',
      () => selectiveScanRef({ ...scan, u: zeroTensor([2, 4]) }),
      ShapeError,
      'u',
      /expected \(B, L, D\), got \(2, 4\)/,
    ],
    [
      'delta of another length',
      () => selectiveScanRef({ ...scan, delta: zeroTensor([2, 4, 4]) }),
      ShapeError,
      'delta',
      /selectiveScan: delta: expected \(B, L, D\) = \(2, 5, 4\), got \(2, 4, 4\)/,
    ],
    [
      'A of other channels',
      () => selectiveScanRef({ ...scan, A: zeroTensor([3, 3]) }),
      ShapeError,
      'A',
      /\(D, N\) = \(4, 3\), got \(3, 3\)/,
    ],
    [
      'B of rank 1',
      () => selectiveScanRef({ ...scan, B: zeroTensor([3]) }),
      ShapeError,
      'B',
      /\(D, N\), \(B, L, N\) or \(B, L, G, N\)/,
    ],
    [
      'groups that do not divide D',
      () => selectiveScanRef({ ...scan, C: zeroTensor([2, 5, 3, 3]) }),
      ShapeError,
      'C',
      /divisor of D = 4/,
    ],
    ['real B beside complex A', () => selectiveScanRef({ ...complex, B: scan.B }), ShapeError, 'B', /, 2\)/],
    [
      'complex A without its pairs',
      () => selectiveScanRef({ ...scan, A: { ...scan.A, dtype: 'c128' } }),
      ShapeError,
      'A',
      /\(D, N, 2\)/,
    ],
    [
      'complex u',
      () => selectiveScanRef({ ...scan, u: { ...scan.u, dtype: 'c128' } }),
      DTypeError,
      'u',
      /got c128/,
    ],
    [
      'integer delta',
      () => selectiveScanRef({ ...scan, delta: { data: new Int32Array(40), shape: [2, 5, 4] } }),
      DTypeError,
      'delta',
      /got i32/,
    ],
    [
      'a Uint16Array without a tag',
      () => selectiveScanRef({ ...scan, u: { data: new Uint16Array(40), shape: [2, 5, 4] } }),
      DTypeError,
      'u',
      /f16/,
    ],
    [
      'D of other channels',
      () => selectiveScanRef({ ...scan, D: zeroTensor([5]) }),
      ShapeError,
      'D',
      /\(D\) = \(4\)/,
    ],
    [
      'z of another shape',
      () => selectiveScanRef({ ...scan, z: zeroTensor([2, 5, 3]) }),
      ShapeError,
      'z',
      /\(2, 5, 4\)/,
    ],
    [
      'deltaBias of other channels',
      () => selectiveScanRef({ ...scan, deltaBias: zeroTensor([3]) }),
      ShapeError,
      'deltaBias',
      /\(4\)/,
    ],
    [
      'an initial state of another batch',
      () => selectiveScanRef({ ...scan, initialState: zeroTensor([3, 4, 3]) }),
      ShapeError,
      'initialState',
      /\(B, D, N\) = \(2, 4, 3\)/,
    ],
    [
      'an initial state without a row per sequence',
      () => selectiveScanRef({ ...packed, initialState: zeroTensor([1, 4, 3]) }),
      ShapeError,
      'initialState',
      /\(S, D, N\) = \(2, 4, 3\)/,
    ],
    [
      'too short an array',
      () => selectiveScanRef({ ...scan, u: { data: new Float32Array(39), shape: [2, 5, 4] } }),
      ShapeError,
      'u',
      /at least 40 elements/,
    ],
    [
      'packing of two rows',
      () => selectiveScanRef({ ...scan, cuSeqlens: toIndexTensor([0, 5]) }),
      ShapeError,
      'cuSeqlens',
      /batch 1/,
    ],
    [
      'boundaries that do not start at 0',
      withBounds(1, 5),
      ArgumentError,
      'cuSeqlens[0]',
      /expected 0, got 1/,
    ],
    ['boundaries that decrease', withBounds(0, 4, 3, 5), ArgumentError, 'cuSeqlens[2]', /at least 4/],
    ['boundaries that end early', withBounds(0, 4), ArgumentError, 'cuSeqlens[1]', /seqLen = 5, got 4/],
    ['boundaries that run over', withBounds(0, 6), ArgumentError, 'cuSeqlens[1]', /seqLen = 5, got 6/],
    ['no boundaries', withBounds(), ShapeError, 'cuSeqlens', /S \+ 1 >= 1/],
    [
      'float boundaries',
      () => selectiveScanRef({ ...packed, cuSeqlens: zeroTensor([2]) }),
      DTypeError,
      'cuSeqlens',
      /i32/,
    ],
    [
      'gradOut of another shape',
      () => selectiveScanBackwardRef({ ...scan, gradOut: zeroTensor([2, 5, 3]) }),
      ShapeError,
      'gradOut',
      /selectiveScanBackward: gradOut/,
    ],
    [
      'gradLastState of another shape',
      () => selectiveScanBackwardRef({ ...scan, gradOut: scan.u, gradLastState: zeroTensor([2, 4]) }),
      ShapeError,
      'gradLastState',
      /\(B, D, N\)/,
    ],
  ])('%s', (_, call, error, argument, message) => {
    const thrown = thrownBy(call);
    expect(thrown).toBeInstanceOf(error);
    expect(thrown).toMatchObject({ argument, message: expect.stringMatching(message) });
  });

  test('arrays whose memory is gone', () => {
    const u = new Float64Array(40);
    structuredClone(u, { transfer: [u.buffer] });
    expect(() => selectiveScanRef({ ...scan, u: { data: u, shape: [2, 5, 4] } })).toThrow(DisposedError);
  });
});
