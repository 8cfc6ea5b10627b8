/**
 * Valid calls of every kernel with a few numbers or arrays changed: close enough to right to pass most checks, which
 * random arguments are not. Every call must answer; a wrong size that reached a kernel would crash the process.
 */
import type { Kernels } from '@statespace/ssd-core';
import {
  randomConvInputs,
  randomDiagonalSsdInputs,
  randomScanInputs,
  randomSource,
  randomSsdInputs,
  randomUpdateInputs,
  toIndexTensor,
} from '@statespace/ssd-core/testing';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import type { Addon, NativeArray, NativeKernel } from '../src/addon.js';
import { elementwiseKernels } from '../src/dense/elementwise.js';
import { embeddingKernels } from '../src/dense/embedding.js';
import { gemmKernels } from '../src/dense/gemm.js';
import { lossKernels } from '../src/dense/loss.js';
import { normKernels } from '../src/dense/norm.js';
import { optimizerKernels } from '../src/dense/optimizer.js';
import { randomKernels } from '../src/dense/random.js';
import { reduceKernels } from '../src/dense/reduce.js';
import { loadAddon } from '../src/loader.js';
import { MemoryPool } from '../src/memory-pool.js';
import { cpuSsmKernels } from '../src/ssm/index.js';
import { describeNative, inFloat32, nanOutput, narrow } from './support.js';

interface Recorded {
  readonly op: string;
  readonly kernel: NativeKernel;
  readonly numbers: Float64Array;
  readonly arrays: readonly NativeArray[];
}

const recorded: Recorded[] = [];

/** Kernels on an addon that remembers the calls made of it. */
function recordingKernels(): Omit<Kernels, 'allocate' | 'upload' | 'download' | 'synchronize' | 'trim'> {
  const real = loadAddon().addon as Addon;
  const addon = new Proxy(real, {
    get(target, op: string) {
      const value = target[op as keyof Addon];
      if (typeof value !== 'function' || op === 'allocate' || op === 'release') return value;
      const kernel = value as NativeKernel;
      return (numbers: Float64Array, ...arrays: NativeArray[]) => {
        recorded.push({ op, kernel, numbers: numbers.slice(), arrays });
        return kernel(numbers, ...arrays);
      };
    },
  });
  const runtime = { addon, pool: new MemoryPool(addon, false) };
  return {
    name: 'cpu',
    device: 'cpu',
    computes: ['f32'],
    ...cpuSsmKernels(runtime),
    ...elementwiseKernels(runtime),
    ...reduceKernels(runtime),
    ...gemmKernels(runtime),
    ...normKernels(runtime),
    ...lossKernels(runtime),
    ...embeddingKernels(runtime),
    ...randomKernels(runtime),
    ...optimizerKernels(runtime),
  };
}

function callEverything(): void {
  const kernels = recordingKernels();
  const source = randomSource(1);
  const random = (...shape: number[]) => narrow(source.normal(shape));
  const scan = inFloat32(randomScanInputs({ seqLen: 5, dInner: 6, dState: 3, groupsB: 2 }));
  const scanOut = () => ({ out: nanOutput([2, 5, 6]), lastState: nanOutput([2, 6, 3]) });
  kernels.selectiveScan({ ...scan, ...scanOut() });
  const packed = inFloat32(
    randomScanInputs({ batch: 1, seqLen: 5, dInner: 6, cuSeqlens: [0, 2, 5], groupsC: 0 }),
  );
  kernels.selectiveScan({ ...packed, out: nanOutput([1, 5, 6]) });
  kernels.selectiveScanBackward({
    ...scan,
    gradOut: random(2, 5, 6),
    gradU: nanOutput([2, 5, 6]),
    gradA: nanOutput([6, 3]),
    gradB: nanOutput([2, 5, 2, 3]),
    gradC: nanOutput([2, 5, 3]),
    gradInitialState: nanOutput([2, 6, 3]),
  });
  const conv = inFloat32(randomConvInputs({ seqLen: 5, dim: 3 }));
  kernels.causalConv1d({ ...conv, out: nanOutput([2, 5, 3]), finalStates: nanOutput([2, 3, 3]) });
  kernels.causalConv1dBackward({
    ...conv,
    gradOut: random(2, 5, 3),
    gradX: nanOutput([2, 5, 3]),
    gradWeight: nanOutput([3, 4]),
    gradInitialStates: nanOutput([2, 3, 3]),
  });
  const ssd = inFloat32(randomSsdInputs({ seqLen: 5, chunkSize: 2 }));
  kernels.ssdChunkScan({ ...ssd, out: nanOutput([2, 5, 4, 3]), finalStates: nanOutput([2, 4, 3, 5]) });
  kernels.ssdChunkScanBackward({
    ...ssd,
    gradOut: random(2, 5, 4, 3),
    gradX: nanOutput([2, 5, 4, 3]),
    gradDt: nanOutput([2, 5, 4]),
    gradA: nanOutput([4]),
    gradB: nanOutput([2, 5, 2, 5]),
    gradC: nanOutput([2, 5, 2, 5]),
    gradInitialStates: nanOutput([2, 4, 3, 5]),
  });
  const diagonal = inFloat32(randomDiagonalSsdInputs({ seqLen: 5, chunkSize: 2 }));
  kernels.diagonalSsd({ ...diagonal, out: nanOutput([2, 5, 4, 3]), finalStates: nanOutput([2, 4, 3, 5]) });
  kernels.diagonalSsdBackward({
    ...diagonal,
    gradOut: random(2, 5, 4, 3),
    gradX: nanOutput([2, 5, 4, 3]),
    gradDt: nanOutput([2, 5, 4]),
    gradA: nanOutput([4, 5]),
    gradB: nanOutput([2, 5, 2, 5]),
    gradC: nanOutput([2, 5, 2, 5]),
    gradInitialStates: nanOutput([2, 4, 3, 5]),
  });
  const step = inFloat32(randomUpdateInputs({ nHeads: 4, headDim: 2, tied: true }));
  kernels.selectiveStateUpdate({
    ...step,
    stateBatchIndices: toIndexTensor([2, -1, 0]),
    out: nanOutput([3, 4, 2]),
  });
  kernels.causalConv1dUpdate({
    x: random(2, 4),
    convState: random(3, 4, 5),
    weight: random(4, 3),
    cacheSeqlens: toIndexTensor([1, 7]),
    convStateIndices: toIndexTensor([2, 0]),
    out: nanOutput([2, 4]),
  });
  kernels.unary({ op: 'silu', x: random(3, 4), out: nanOutput([3, 4]) });
  kernels.unaryBackward({ op: 'silu', x: random(3, 4), gradOut: random(3, 4), gradX: nanOutput([3, 4]) });
  kernels.binary({ op: 'mul', a: random(3, 4), b: random(4), out: nanOutput([3, 4]) });
  kernels.affine({ x: random(3, 4), alpha: 2, beta: 1, out: nanOutput([3, 4]) });
  kernels.copy({ x: random(3, 4), out: { data: new Float64Array(12), shape: [3, 4] } });
  kernels.accumulate({ x: random(3, 4), out: random(3, 4) });
  kernels.fill({ out: nanOutput([3, 4]), value: 1 });
  kernels.reduce({ op: 'sum', x: random(3, 4), axes: [0], out: nanOutput([4]) });
  kernels.argmax({ x: random(3, 4), out: { data: new Int32Array(3), shape: [3] } });
  kernels.gemm({
    a: random(2, 3, 4),
    b: random(2, 5, 4),
    transposeB: true,
    out: nanOutput([2, 3, 5]),
    bias: random(5),
  });
  const norm = { x: random(3, 8), eps: 1e-5, weight: random(8) };
  kernels.rmsNorm({ ...norm, gate: random(3, 8), groupSize: 4, out: nanOutput([3, 8]) });
  kernels.rmsNormBackward({
    ...norm,
    gradOut: random(3, 8),
    gradX: nanOutput([3, 8]),
    gradWeight: nanOutput([8]),
  });
  kernels.layerNorm({ ...norm, out: nanOutput([3, 8]) });
  kernels.layerNormBackward({
    ...norm,
    gradOut: random(3, 8),
    gradX: nanOutput([3, 8]),
    gradWeight: nanOutput([8]),
  });
  kernels.softmax({ x: random(3, 8), out: nanOutput([3, 8]) });
  kernels.softmaxBackward({ out: random(3, 8), gradOut: random(3, 8), gradX: nanOutput([3, 8]) });
  const loss = { logits: random(3, 8), targets: toIndexTensor([1, 7, -100]) };
  kernels.crossEntropy({ ...loss, losses: nanOutput([3]) });
  kernels.crossEntropyBackward({ ...loss, gradLosses: random(3), gradLogits: nanOutput([3, 8]) });
  const head = {
    x: random(3, 8),
    weight: random(5, 8),
    targets: toIndexTensor([1, 4, -100]),
    loss: nanOutput([1]),
  };
  kernels.linearCrossEntropy({ ...head, gradX: nanOutput([3, 8]), gradWeight: nanOutput([5, 8]) });
  const ids = toIndexTensor([1, 4, 1]);
  kernels.embedding({ weight: random(5, 8), ids, out: nanOutput([3, 8]) });
  kernels.embeddingBackward({ ids, gradOut: random(3, 8), gradWeight: random(5, 8) });
  const generator = { seed: 1, stream: 2, offset: 3 };
  kernels.random({ distribution: 'normal', generator, out: nanOutput([9]) });
  kernels.dropout({ x: random(9), p: 0.5, generator, out: nanOutput([9]) });
  kernels.gradNorm({
    grads: [random(4), random(2, 2)],
    maxNorm: 1,
    norm: nanOutput([1]),
    factor: nanOutput([1]),
  });
  const slot = () => ({
    param: random(4),
    grad: random(4),
    m: random(4),
    v: random(4),
    lrScale: 1,
    weightDecay: 0,
  });
  kernels.adamw({ slots: [slot(), slot()], beta1: 0.9, beta2: 0.99, eps: 1e-8, schedule: random(3) });
}

/** One of these alone, */
const large = [2 ** 17, 2 ** 31, 2 ** 33, 2 ** 40, 2 ** 53, 1e300, Number.POSITIVE_INFINITY];
/** or some of these. */
const small = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 100, -1, -2, -5, 0.5, Number.NaN];

describeNative('mutated calls', () => {
  beforeAll(callEverything);

  test('every kernel is among them', () => {
    const kernels = Object.keys(loadAddon().addon ?? {}).filter(
      (name) => `${name}Async` in (loadAddon().addon ?? {}),
    );
    for (const name of kernels) expect(recorded.map(({ op }) => op)).toContain(name);
    expect(new Set(recorded.map(({ op }) => op)).size).toBe(35);
    for (const { kernel, numbers, arrays, op } of recorded) expect(kernel(numbers, ...arrays), op).toBe(0);
  });

  test('none crashes', () => {
    const change = fc.record({
      call: fc.nat(1000),
      changes: fc.array(fc.tuple(fc.nat(60), fc.constantFrom(...small)), { minLength: 0, maxLength: 3 }),
      big: fc.option(fc.tuple(fc.nat(60), fc.constantFrom(...large)), { freq: 3 }),
      shorten: fc.option(fc.nat(24), { freq: 3 }),
      drop: fc.option(fc.nat(24), { freq: 6 }),
      alias: fc.option(fc.tuple(fc.nat(24), fc.nat(24)), { freq: 6 }),
    });
    fc.assert(
      fc.property(change, ({ call, changes, big, shorten, drop, alias }) => {
        const { kernel, numbers: valid, arrays: given, op } = recorded[call % recorded.length] as Recorded;
        const numbers = valid.slice();
        // A large size beside a stride of 0 is a valid view of one entry, and would run for hours: `binary` has such
        // strides already, and other changes might make one.
        if (big !== null && op === 'binary') return;
        for (const [at, value] of big === null ? changes : [big]) numbers[at] = value;
        const arrays = given.slice();
        const at = (index: number) => index % arrays.length;
        if (alias !== null) arrays[at(alias[0])] = arrays[at(alias[1])];
        if (drop !== null) arrays[at(drop)] = undefined;
        const target = shorten === null ? undefined : arrays[at(shorten)];
        if (shorten !== null && target !== undefined && ArrayBuffer.isView(target)) {
          arrays[at(shorten)] = (target as Float32Array).slice(0, Math.max(0, target.length - 1));
        }
        expect(typeof kernel(numbers, ...arrays), op).toBe('number');
      }),
      { numRuns: 20_000 },
    );
  });
});
