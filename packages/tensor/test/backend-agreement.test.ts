/** Every op on `cpu` against `reference`: forward and gradients, in f32. Skipped where there is no native addon. */

import { maxRelativeError } from '@statespace/ssd-core/testing';
import {
  causalConv1d,
  concat,
  crossEntropy,
  diagonalSsd,
  embedding,
  Generator,
  getDeviceKernels,
  layerNorm,
  linear,
  linearCrossEntropy,
  matmul,
  randn,
  rmsNorm,
  scope,
  selectiveScan,
  softmax,
  split,
  ssdChunkScan,
  type Tensor,
  tensor,
} from '@statespace/tensor';
import { describe, expect, test } from 'vitest';

function hasCpu(): boolean {
  try {
    return getDeviceKernels('cpu').device === 'cpu';
  } catch {
    return false;
  }
}

type Case = readonly [
  name: string,
  tolerance: number,
  shapes: readonly number[][],
  run: (...x: Tensor[]) => Tensor[],
];

const ids = (device: string, ...values: number[]) => tensor(Int32Array.from(values), { device });
const at = (x: Tensor | undefined) => x as Tensor;

// Tolerances: a few roundings of f32 per element; scans and norms as the kernels' own pages say.
const cases: Case[] = [
  [
    'unary chain',
    2e-6,
    [[7, 9]],
    (x) => [x.silu().add(x.softplus()).mul(x.tanh()).sub(x.square().neg().exp()).add(x.gelu())],
  ],
  [
    'broadcast arithmetic',
    1e-6,
    [
      [3, 1, 5],
      [4, 1],
    ],
    (a, b) => [a.add(b).mul(a).sub(b.square().add(1).sqrt()).div(b.square().add(1))],
  ],
  ['maximum and minimum', 1e-6, [[4, 5], [5]], (a, b) => [a.maximum(b), a.minimum(0.1)]],
  ['strided unary', 1e-6, [[4, 5, 6]], (x) => [x.permute([2, 0, 1]).slice(1, 1, 3).exp()]],
  [
    'sum, mean, max',
    2e-6,
    [[4, 5, 6]],
    (x) => [x.sum(1), x.mean([0, 2]), x.max(-1), x.transpose(0, 2).sum(0)],
  ],
  [
    'matmul',
    3e-6,
    [
      [3, 7, 5],
      [5, 4],
    ],
    (a, b) => [matmul(a, b)],
  ],
  [
    'batched matmul of views',
    3e-6,
    [
      [3, 5, 7],
      [3, 4, 5],
    ],
    (a, b) => [a.transpose(1, 2).matmul(b.transpose(1, 2))],
  ],
  [
    'matmul with an expanded batch',
    3e-6,
    [
      [7, 5],
      [3, 5, 4],
    ],
    (a, b) => [matmul(a, b)],
  ],
  ['linear of a slice', 3e-6, [[2, 9, 12], [6, 5], [6]], (x, w, b) => [linear(x.slice(2, 3, 8), w, b)]],
  [
    'concat and split',
    1e-6,
    [
      [2, 3, 4],
      [2, 5, 4],
    ],
    (a, b) => split(concat([a, b], 1), [1, 4, 3], 1).map((p) => p.square()),
  ],
  [
    'rmsNorm',
    5e-6,
    [[6, 8], [8], [6, 8]],
    (x, w, g) => [rmsNorm(x, w), rmsNorm(x, w, { gate: g, groupSize: 4 })],
  ],
  [
    'rmsNorm of slices, gate after',
    5e-6,
    [[6, 16], [8]],
    (x, w) => [rmsNorm(x.slice(1, 0, 8), w, { gate: x.slice(1, 8, 16), gateAfterNorm: true })],
  ],
  ['layerNorm', 1e-5, [[3, 5, 8], [8], [8]], (x, w, b) => [layerNorm(x, w, b)]],
  ['softmax', 3e-6, [[3, 5, 7]], (x) => [softmax(x), x.logSoftmax()]],
  [
    'crossEntropy',
    5e-6,
    [[6, 7]],
    (x) => [crossEntropy(x, ids(x.device, 0, 6, -100, 2, 2, 1), { labelSmoothing: 0.1 })],
  ],
  [
    'linearCrossEntropy',
    1e-5,
    [[6, 7], [11, 7], [11]],
    (x, w, bias) => [linearCrossEntropy(x, w, ids(x.device, 0, 10, -100, 2, 2, 1), { bias }).loss],
  ],
  ['embedding', 1e-6, [[5, 6]], (w) => [embedding(w, ids(w.device, 0, 4, 4, 1)).square()]],
  [
    'selectiveScan of views',
    5e-6,
    [[2, 17, 10], [2, 17, 10], [5, 4], [2, 17, 8], [5], [5]],
    (xz, d, A, bc, D, bias) => {
      const [u, z] = split(xz, [5, 5], 2);
      const [B, C] = split(bc, [4, 4], 2);
      const scan = selectiveScan({
        ...{
          u: at(u),
          z: at(z),
          delta: d.slice(2, 2, 7),
          A: A.square().add(0.1).neg(),
          B: at(B),
          C: at(C),
          D,
        },
        ...{ deltaBias: bias, deltaSoftplus: true, returnLastState: true as const },
      });
      return [scan.out, scan.lastState];
    },
  ],
  [
    'causalConv1d of a view',
    4e-6,
    [[2, 17, 12], [5, 4], [5]],
    (x, weight, bias) => [causalConv1d({ x: x.slice(2, 3, 8), weight, bias, activation: 'silu' }).out],
  ],
  [
    'ssdChunkScan of views',
    1.6e-5,
    [[2, 19, 24], [2, 19, 4], [4], [2, 19, 12], [4]],
    (xz, dt, A, bc, D) => {
      const [x, z] = split(xz, [12, 12], 2).map((part) => part.reshape([2, 19, 4, 3]));
      const [B, C] = split(bc, [6, 6], 2).map((part) => part.reshape([2, 19, 2, 3]));
      const scan = ssdChunkScan({
        ...{ x: at(x), z: at(z), dt, A: A.square().add(0.1).neg(), B: at(B), C: at(C), D, chunkSize: 8 },
        ...{ dtSoftplus: true, returnFinalStates: true as const },
      });
      return [scan.out, scan.finalStates];
    },
  ],
  [
    'diagonalSsd of views',
    1e-5,
    [[2, 19, 24], [2, 19, 4], [4, 3], [2, 19, 12], [4]],
    (xz, dt, A, bc, D) => {
      const [x, z] = split(xz, [12, 12], 2).map((part) => part.reshape([2, 19, 4, 3]));
      const [B, C] = split(bc, [6, 6], 2).map((part) => part.reshape([2, 19, 2, 3]));
      const scan = diagonalSsd({
        ...{ x: at(x), z: at(z), dt, A: A.square().add(0.1).neg(), B: at(B), C: at(C), D, chunkSize: 8 },
        ...{ dtSoftplus: true, returnFinalStates: true as const },
      });
      return [scan.out, scan.finalStates];
    },
  ],
];

/** Outputs, then gradients, as numbers. */
function evaluate(
  device: string,
  shapes: readonly number[][],
  run: (...x: Tensor[]) => Tensor[],
): ArrayLike<number>[] {
  return scope(() => {
    const generator = new Generator(11);
    const inputs = shapes.map((shape) => randn(shape, { generator, device, requiresGrad: true }));
    const outputs = run(...inputs);
    const weights = outputs.map((out) => randn(out.shape, { generator, device }));
    const total = outputs.map((out, i) => out.mul(at(weights[i])).sum()).reduce((a, b) => a.add(b));
    total.backward();
    return [...outputs, ...inputs.map((x) => at(x.grad))].map((x) => x.toArray());
  });
}

describe.skipIf(!hasCpu())('cpu agrees with reference', () => {
  test.each(cases)('%s', (_, tolerance, shapes, run) => {
    const native = evaluate('cpu', shapes, run);
    const exact = evaluate('reference', shapes, run);
    const errors = native.map((array, i) => maxRelativeError(array, exact[i] as ArrayLike<number>));
    expect(Math.max(...errors), errors.join(' ')).toBeLessThan(tolerance);
  });

  test('f64 is refused on cpu, but may be held and cast there', () => {
    const x = tensor(new Float64Array([1, 2]), { device: 'cpu' });
    expect(() => x.add(1)).toThrow(/expected f32 on cpu, got f64.*reference/);
    expect([...x.cast('f32').add(1).toArray()]).toEqual([2, 3]);
    expect([...x.to('reference').add(1).toArray()]).toEqual([2, 3]);
  });

  test('gradients flow between devices', () => {
    const x = tensor([1, 2], { device: 'cpu', requiresGrad: true });
    x.to('reference').square().sum().backward();
    expect(x.grad?.device).toBe('cpu');
    expect([...(x.grad?.toArray() ?? [])]).toEqual([2, 4]);
    expect(() => x.add(x.to('reference'))).toThrow(/on cpu.*got one on reference/);
  });

  test('tensors without elements', () => {
    const none = tensor(new Float32Array(0), { shape: [0, 3], device: 'cpu' });
    expect(none.silu().add(1).sum().item()).toBe(0);
    expect(none.matmul(randn([3, 2], { generator: new Generator(0), device: 'cpu' })).shape).toEqual([0, 2]);
  });
});
