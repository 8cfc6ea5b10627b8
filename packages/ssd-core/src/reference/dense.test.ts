/**
 * Every dense kernel through the interface: outputs overwritten wholly, strided inputs read as their copies, float32
 * results equal to the float64 ones rounded once, absent outputs left alone, wrong arguments refused unwritten.
 */
import { describe, expect, test } from 'vitest';
import type { Kernels } from '../backend.js';
import { ShapeError } from '../errors.js';
import type { TensorLike } from '../tensor-like.js';
import {
  type HostTensor,
  hostTensor,
  nanTensor,
  randomSource,
  strided,
  toIndexTensor,
} from '../testing/index.js';
import { createReferenceKernels } from './index.js';

/** How a case sees its inputs and where it writes. */
interface Place {
  /** An input, as it is or as a view. */
  readonly in: (tensor: TensorLike) => TensorLike;
  /** A fresh output, or one that starts from given numbers. */
  readonly out: (shape: readonly number[], start?: HostTensor) => TensorLike;
}

type Run = (kernels: Kernels, place: Place) => void;

const random = randomSource(99);
const x = random.normal([3, 4]);
const y = random.normal([3, 4]);
const wide = random.normal([6, 4]);
const channels = random.normal([4]);
const rows = random.normal([3]);
const ids = toIndexTensor([1, 5, 0]);
const targets = toIndexTensor([3, -100, 0]);
const generator = { seed: 5, stream: 6, offset: 7 };
const eps = 1e-5;
const small = random.uniform([3, 4], 0.5, 2);

const cases: Record<string, Run> = {
  unary: (k, at) => k.unary({ op: 'silu', x: at.in(x), out: at.out([3, 4]) }),
  unaryBackward: (k, at) =>
    k.unaryBackward({ op: 'gelu', x: at.in(x), gradOut: at.in(y), gradX: at.out([3, 4]) }),
  binary: (k, at) => k.binary({ op: 'div', a: at.in(x), b: at.in(channels), out: at.out([3, 4]) }),
  affine: (k, at) => k.affine({ x: at.in(x), alpha: 3, beta: -1, out: at.out([3, 4]) }),
  copy: (k, at) => k.copy({ x: at.in(channels), out: at.out([3, 4]) }),
  accumulate: (k, at) => k.accumulate({ x: at.in(x), out: at.out([3, 4], y) }),
  fill: (k, at) => k.fill({ out: at.out([2, 2]), value: 0.1 }),
  'reduce to size 1': (k, at) => k.reduce({ op: 'sum', x: at.in(x), axes: [1], out: at.out([3, 1]) }),
  'reduce without the axis': (k, at) => k.reduce({ op: 'mean', x: at.in(x), axes: [0], out: at.out([4]) }),
  gemm: (k, at) =>
    k.gemm({ a: at.in(x), b: at.in(wide), transposeB: true, bias: at.in(random6), out: at.out([3, 6]) }),
  'gemm, accumulating': (k, at) =>
    k.gemm({ a: at.in(x), b: at.in(y), transposeA: true, out: at.out([4, 4], square), accumulate: true }),
  rmsNorm: (k, at) =>
    k.rmsNorm({ x: at.in(x), weight: at.in(channels), gate: at.in(y), eps, out: at.out([3, 4]) }),
  rmsNormBackward: (k, at) =>
    k.rmsNormBackward({
      ...{ x: at.in(x), weight: at.in(channels), gate: at.in(y), gateAfterNorm: true, groupSize: 2, eps },
      ...{ gradOut: at.in(small), gradX: at.out([3, 4]), gradWeight: at.out([4]), gradGate: at.out([3, 4]) },
    }),
  layerNorm: (k, at) =>
    k.layerNorm({ x: at.in(x), weight: at.in(channels), bias: at.in(channels), eps, out: at.out([3, 4]) }),
  layerNormBackward: (k, at) =>
    k.layerNormBackward({
      ...{ x: at.in(x), weight: at.in(channels), bias: at.in(channels), eps, gradOut: at.in(y) },
      ...{ gradX: at.out([3, 4]), gradWeight: at.out([4]), gradBias: at.out([4]) },
    }),
  softmax: (k, at) => k.softmax({ x: at.in(x), log: true, out: at.out([3, 4]) }),
  softmaxBackward: (k, at) =>
    k.softmaxBackward({ out: at.in(small), gradOut: at.in(y), gradX: at.out([3, 4]) }),
  crossEntropy: (k, at) =>
    k.crossEntropy({ logits: at.in(x), targets: at.in(targets), labelSmoothing: 0.1, losses: at.out([3]) }),
  crossEntropyBackward: (k, at) =>
    k.crossEntropyBackward({
      ...{ logits: at.in(x), targets: at.in(targets), gradLosses: at.in(rows) },
      gradLogits: at.out([3, 4]),
    }),
  linearCrossEntropy: (k, at) =>
    k.linearCrossEntropy({
      ...{ x: at.in(x), weight: at.in(wide), bias: at.in(random6), targets: at.in(targets) },
      ...{ loss: at.out([1]), correct: at.out([1]), gradX: at.out([3, 4]) },
      ...{ gradWeight: at.out([6, 4]), gradBias: at.out([6]) },
    }),
  embedding: (k, at) => k.embedding({ weight: at.in(wide), ids: at.in(ids), out: at.out([3, 4]) }),
  embeddingBackward: (k, at) =>
    k.embeddingBackward({ ids: at.in(ids), gradOut: at.in(x), gradWeight: at.out([6, 4], wide) }),
  random: (k, at) => k.random({ distribution: 'normal', generator, out: at.out([5]) }),
  dropout: (k, at) => k.dropout({ x: at.in(x), p: 0.5, generator, out: at.out([3, 4]) }),
  gradNorm: (k, at) =>
    k.gradNorm({ grads: [at.in(x), at.in(wide)], maxNorm: 1, norm: at.out([1]), factor: at.out([1]) }),
  adamw: (k, at) =>
    k.adamw({
      slots: [
        {
          ...{ param: at.out([3, 4], x), grad: at.in(y), m: at.out([3, 4], y), v: at.out([3, 4], small) },
          ...{ lrScale: 2, weightDecay: 0.1 },
        },
      ],
      ...{ beta1: 0.9, beta2: 0.99, eps: 1e-8, schedule: at.in(hostTensor([0.1, 0.5, 0.25], [3])) },
      gradScale: at.in(hostTensor([0.5], [1])),
    }),
};
const random6 = random.normal([6]);
const square = random.normal([4, 4]);

/** Runs a case and gives the numbers of every output in the order of their creation. */
function outputsOf(run: Run, view: (tensor: TensorLike) => TensorLike, dtype: 'f32' | 'f64'): number[][] {
  const outputs: (Float32Array | Float64Array)[] = [];
  run(createReferenceKernels(), {
    in: view,
    out(shape, start) {
      const tensor = dtype === 'f32' ? nanTensor(shape, 'f32') : nanTensor(shape);
      if (start !== undefined) tensor.data.set(start.data);
      outputs.push(tensor.data);
      return tensor;
    },
  });
  return outputs.map((data) => [...data]);
}

describe.each(Object.entries(cases))('%s', (_, run) => {
  const exact = outputsOf(run, (tensor) => tensor, 'f64');

  test('writes every entry', () => {
    expect(exact.flat().some(Number.isNaN)).toBe(false);
  });

  test('reads views as their copies', () => {
    expect(outputsOf(run, strided, 'f64')).toEqual(exact);
  });

  test('rounds float32 results once', () => {
    const rounded = exact.map((values) => values.map(Math.fround));
    expect(outputsOf(run, (tensor) => tensor, 'f32')).toEqual(rounded);
  });
});

describe('dense kernels', () => {
  const kernels = createReferenceKernels();

  test('argmax writes indices', () => {
    const out = { data: new Int32Array(3).fill(-1), shape: [3] };
    kernels.argmax({ x: hostTensor([1, 2, 5, 3, 9, 0], [3, 2]), out });
    expect([...out.data]).toEqual([1, 0, 0]);
  });

  test('gemm adds to its output where asked to', () => {
    const out = hostTensor([100, 200], [1, 2]);
    const a = hostTensor([1, 2], [1, 2]);
    kernels.gemm({ a, b: hostTensor([1, 2, 3, 4], [2, 2]), out, accumulate: true });
    expect([...out.data]).toEqual([107, 210]);
  });

  test('copy, accumulate and fill write through views; copy converts', () => {
    const data = new Float32Array(6);
    const column = { data, shape: [3], strides: [2], offset: 1 };
    kernels.copy({ x: hostTensor([1, 2, 3], [3]), out: column });
    kernels.accumulate({ x: hostTensor([10, 10, 10], [3]), out: column });
    expect([...data]).toEqual([0, 11, 0, 12, 0, 13]);
    kernels.fill({ out: { data, shape: [3], strides: [2] }, value: 7 });
    expect([...data]).toEqual([7, 11, 7, 12, 7, 13]);
    const ints = { data: new Int32Array(2), shape: [2] };
    kernels.copy({ x: hostTensor([2.9, -2.9], [2]), out: ints });
    expect([...ints.data]).toEqual([2, -2]);
  });

  test('an output may be its own input', () => {
    const inPlace = hostTensor([1, 2, 3], [3]);
    kernels.binary({ op: 'mul', a: inPlace, b: inPlace, out: inPlace });
    expect([...inPlace.data]).toEqual([1, 4, 9]);
  });

  test('absent outputs are not needed', () => {
    const loss = nanTensor([1]);
    kernels.linearCrossEntropy({ x, weight: wide, targets, loss });
    expect(loss.data[0]).toBeGreaterThan(0);
    const gradWeight = nanTensor([4]);
    kernels.rmsNormBackward({ x, weight: channels, eps, gradOut: y, gradWeight });
    expect(gradWeight.data.some(Number.isNaN)).toBe(false);
  });

  test('a wrong argument is refused before anything is written', () => {
    const gradX = nanTensor([3, 4]);
    const gradWeight = nanTensor([5]);
    const args = { x, weight: channels, eps, gradOut: y, gradX, gradWeight };
    expect(() => kernels.rmsNormBackward(args)).toThrow(
      'rmsNormBackward: gradWeight: expected (D) = (4), got (5)',
    );
    expect(gradX.data.every(Number.isNaN)).toBe(true);
  });

  test('outputs must be contiguous, or at least their entries apart', () => {
    const data = new Float64Array(24);
    const gaps = { data, shape: [3, 4], strides: [8, 2] };
    expect(() => kernels.unary({ op: 'exp', x, out: gaps })).toThrow(
      'unary: out: expected a contiguous output, got strides (8, 2) for shape (3, 4)',
    );
    const repeated = { data, shape: [3, 4], strides: [0, 1] };
    expect(() => kernels.copy({ x, out: repeated })).toThrow('an output whose entries are separate');
    expect(() => kernels.fill({ out: repeated, value: 1 })).toThrow(ShapeError);
  });

  test('complex numbers are copied and added as pairs, never mixed with real ones', () => {
    const complex = hostTensor([1, 2, 3, 4], [2, 2], 'c128');
    const out = nanTensor([2, 2]);
    expect(() => kernels.copy({ x: complex, out })).toThrow('copy: out: expected c64 or c128, got f64');
    const pairs = { ...out, dtype: 'c128' as const };
    kernels.copy({ x: complex, out: pairs });
    kernels.accumulate({ x: complex, out: pairs });
    expect([...pairs.data]).toEqual([2, 4, 6, 8]);
    expect(() => kernels.unary({ op: 'exp', x: complex, out })).toThrow(
      'unary: x: expected f32 or f64 or f16 or bf16, got c128',
    );
  });
});
