import { StatespaceError } from '@statespace/ssd-core';
import { expect, test } from 'vitest';
import { tensor, zeros } from '../create.js';
import { Generator } from '../random/generator.js';
import { scope } from '../scope.js';
import { memoryStats } from '../storage.js';
import type { Tensor } from '../tensor.js';
import { causalConv1d } from './causal-conv1d.js';
import { concat, stack } from './concat.js';
import { crossEntropy } from './cross-entropy.js';
import { diagonalSsd } from './diagonal-ssd.js';
import { dropout } from './dropout.js';
import { embedding } from './embedding.js';
import { layerNorm } from './layer-norm.js';
import { linear } from './linear.js';
import { linearCrossEntropy } from './linear-cross-entropy.js';
import { rmsNorm } from './rms-norm.js';
import { selectiveScan } from './selective-scan.js';
import { ssdChunkScan } from './ssd-chunk-scan.js';
import { selectiveStateUpdate } from './state-update.js';

const device = 'reference';
const of = (...shape: number[]) => zeros(shape, { device });
const ids = (...values: number[]) => tensor(Int32Array.from(values), { device });
const scan = (changes: Record<string, unknown> = {}) =>
  selectiveScan({
    ...{ u: of(1, 3, 2), delta: of(1, 3, 2), A: of(2, 4), B: of(1, 3, 4), C: of(1, 3, 4) },
    ...changes,
  });
const ssd = (changes: Record<string, unknown> = {}) =>
  ssdChunkScan({
    ...{ x: of(1, 3, 2, 2), dt: of(1, 3, 2), A: of(2), B: of(1, 3, 1, 4), C: of(1, 3, 1, 4) },
    ...changes,
  });

const cases: [string, () => unknown, RegExp][] = [
  ['linear: width', () => linear(of(2, 3), of(4, 5)), /linear: x: expected \(\.\.\., 5\), got \(2, 3\)/],
  ['linear: weight', () => linear(of(2, 3), of(3)), /linear: weight: expected \(N, K\), got \(3\)/],
  [
    'linear: bias',
    () => linear(of(2, 3), of(4, 3), of(3)),
    /linear: bias: expected \(N\) = \(4\), got \(3\)/,
  ],
  ['embedding: outside', () => embedding(of(4, 2), ids(0, 4)), /embedding: ids\[1\].*got 4/],
  ['embedding: negative', () => embedding(of(4, 2), ids(-1)), /embedding: ids\[0\].*got -1/],
  ['embedding: floats', () => embedding(of(4, 2), of(2)), /embedding: ids: expected i32, got f32/],
  ['rmsNorm: weight', () => rmsNorm(of(2, 3), of(2)), /rmsNorm: weight.*\(3\).*got \(2\)/],
  ['rmsNorm: gate', () => rmsNorm(of(2, 3), of(3), { gate: of(2, 2) }), /rmsNorm: gate/],
  ['rmsNorm: groups', () => rmsNorm(of(2, 3), of(3), { groupSize: 2 }), /rmsNorm: groupSize/],
  ['layerNorm: bias', () => layerNorm(of(2, 3), of(3), of(2)), /layerNorm: bias/],
  [
    'crossEntropy: targets',
    () => crossEntropy(of(2, 3), ids(0)),
    /crossEntropy: targets: expected \(2\).*got \(1\)/,
  ],
  ['crossEntropy: class', () => crossEntropy(of(2, 3), ids(0, 3)), /targets\[1\].*got 3/],
  [
    'crossEntropy: reduction',
    () => crossEntropy(of(1, 3), ids(0), { reduction: 'max' as 'sum' }),
    /reduction.*'mean'/,
  ],
  ['crossEntropy: smoothing', () => crossEntropy(of(1, 3), ids(0), { labelSmoothing: 2 }), /labelSmoothing/],
  ['head: targets', () => linearCrossEntropy(of(2, 3), of(5, 3), ids(0, 1, 2)), /targets: expected \(2\)/],
  ['head: width', () => linearCrossEntropy(of(2, 3), of(5, 4), ids(0, 1)), /x: expected \(\.\.\., 4\)/],
  [
    'scan: delta',
    () => scan({ delta: of(1, 2, 2) }),
    /selectiveScan: delta: expected \(B, L, D\) = \(1, 3, 2\)/,
  ],
  ['scan: rank', () => scan({ u: of(3, 2) }), /selectiveScan: u: expected \(B, L, D\), got \(3, 2\)/],
  ['scan: A', () => scan({ A: of(4) }), /selectiveScan: A: expected \(D, N\)/],
  ['scan: packed', () => scan({ cuSeqlens: Int32Array.of(0, 2) }), /cuSeqlens/],
  [
    'scan: device',
    () => scan({ z: zeros([1, 3, 2], { device, dtype: 'f64' }) }),
    /z: expected f32, like u, got f64/,
  ],
  ['conv: weight', () => causalConv1d({ x: of(1, 3, 2), weight: of(3, 4) }), /causalConv1d: weight/],
  [
    'conv: activation',
    () => causalConv1d({ x: of(1, 3, 2), weight: of(2, 4), activation: 'gelu' as 'silu' }),
    /activation/,
  ],
  ['ssd: groups', () => ssd({ B: of(1, 3, 3, 4), C: of(1, 3, 3, 4) }), /ssdChunkScan: B.*divides 2/],
  ['ssd: chunk', () => ssd({ chunkSize: 0 }), /chunkSize/],
  ['ssd: limits', () => ssd({ dtLimit: [1, 0] }), /dtLimit/],
  [
    'diagonal ssd: rates',
    () => {
      const [x, B] = [of(1, 3, 2, 2), of(1, 3, 1, 4)];
      return diagonalSsd({ x, dt: of(1, 3, 2), A: of(2), B, C: B });
    },
    /diagonalSsd: A: expected \(H, N\) = \(2, 4\), got \(2\)/,
  ],
  [
    'update: state',
    () =>
      selectiveStateUpdate({
        state: of(1, 2, 3),
        x: of(1, 2),
        dt: of(1, 2),
        A: of(2, 4),
        B: of(1, 4),
        C: of(1, 4),
      }),
    /selectiveStateUpdate/,
  ],
  ['concat: nothing', () => concat([], 0), /at least one tensor/],
  ['concat: shapes', () => concat([of(2, 3), of(2, 4)], 0), /concat: list\[1\].*\(2, 3\) but for axis 0/],
  ['stack: shapes', () => stack([of(2), of(3)], 0), /list\[1\]/],
  [
    'dropout: p',
    () => dropout(of(2), Number.NaN, { generator: new Generator(0) }),
    /p: expected a number in \[0, 1\)/,
  ],
];

test.each(cases)('%s', (_, run, message) => {
  const before = memoryStats().buffers;
  let error: unknown;
  try {
    scope(() => run() as Tensor);
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(StatespaceError);
  expect((error as Error).message).toMatch(message);
  expect(memoryStats().buffers).toBe(before);
});

test('linear of no inputs is its bias', () => {
  const out = linear(of(2, 0), of(3, 0), tensor([1, 2, 3], { device }));
  expect([...out.toArray()]).toEqual([1, 2, 3, 1, 2, 3]);
});
