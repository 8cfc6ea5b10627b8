/**
 * The binding without its guard: calls that the public API made, recorded as (numbers, arrays), spoilt and made again.
 * Whatever comes, the answer is an integer or a promise of one.
 */

import { getKernels } from '@statespace/native-scan';
import fc from 'fast-check';
import { loadAddon } from '../dist/loader.js';
import { hostileNumbers, hostileValues } from './mutations.mjs';
import { runPublic } from './public-calls.mjs';
import { validCall } from './valid-calls.mjs';

const skipped = new Set([
  'allocate',
  'release',
  'trimMemory',
  'memoryStats',
  'setThreads',
  'getThreads',
  'isa',
  'isas',
  'forceIsa',
  'nativeInterface',
  'interfaceVersion',
]);

/** Calls of every function of the addon, as the wrappers make them. */
export async function recordTemplates(count, seed) {
  const { addon } = loadAddon();
  const templates = [];
  const originals = {};
  for (const name of Object.keys(addon)) {
    if (skipped.has(name) || typeof addon[name] !== 'function') continue;
    originals[name] = addon[name];
    addon[name] = (...args) => {
      const arrays = args.slice(1);
      if (arrays.every((array) => array === undefined || ArrayBuffer.isView(array))) {
        templates.push({
          name,
          numbers: args[0].slice(0, 120),
          arrays: arrays.map((array) => array?.slice()),
        });
      }
      return originals[name](...args);
    };
  }
  const valid = fc.sample(validCall, { numRuns: count, seed });
  for (const drawn of valid) await runPublic({ drawn, spoil: [], disturb: undefined });
  recordDense();
  Object.assign(addon, originals);
  return templates;
}

/** The dense ops, each once or twice. */
function recordDense() {
  const kernels = getKernels('cpu');
  const t = (shape, value = 0.5) => ({
    data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value),
    shape,
  });
  const ids = (values, shape = [values.length]) => ({ data: Int32Array.from(values), shape });
  const generator = { seed: 1, stream: 2, offset: 3 };
  const x = t([4, 6]);
  const out = () => t([4, 6]);
  kernels.unary({ op: 'silu', x, out: out() });
  kernels.unaryBackward({ op: 'gelu', x, gradOut: t([4, 6]), gradX: out() });
  kernels.binary({ op: 'add', a: x, b: t([6]), out: out() });
  kernels.affine({ x, alpha: 2, beta: 1, out: out() });
  kernels.copy({ x, out: { data: new Uint16Array(24), shape: [4, 6], dtype: 'bf16' } });
  kernels.accumulate({ x, out: out() });
  kernels.fill({ out: out(), value: 3 });
  kernels.reduce({ op: 'sum', x, axes: [1], out: t([4]) });
  kernels.argmax({ x, out: ids([0, 0, 0, 0]) });
  kernels.gemm({ a: x, b: t([6, 5]), out: t([4, 5]), bias: t([5]), activation: 'silu' });
  kernels.gemm({ a: x, b: t([5, 6]), transposeB: true, out: t([4, 5]), accumulate: true });
  const norm = { x, weight: t([6]), eps: 1e-5 };
  kernels.rmsNorm({ ...norm, gate: t([4, 6]), out: out() });
  kernels.rmsNormBackward({ ...norm, gradOut: t([4, 6]), gradX: out(), gradWeight: t([6]) });
  kernels.layerNorm({ ...norm, bias: t([6]), out: out() });
  kernels.layerNormBackward({
    ...norm,
    bias: t([6]),
    gradOut: t([4, 6]),
    gradX: out(),
    gradWeight: t([6]),
    gradBias: t([6]),
  });
  kernels.softmax({ x, out: out() });
  kernels.softmaxBackward({ out: x, gradOut: t([4, 6]), gradX: out() });
  const logits = { logits: x, targets: ids([1, 2, -100, 5]) };
  kernels.crossEntropy({ ...logits, losses: t([4]) });
  kernels.crossEntropyBackward({ ...logits, gradLosses: t([4]), gradLogits: out() });
  kernels.linearCrossEntropy({
    x,
    weight: t([9, 6]),
    targets: ids([1, 2, -100, 8]),
    loss: t([1]),
    gradX: out(),
    gradWeight: t([9, 6]),
  });
  kernels.embedding({ weight: t([9, 6]), ids: ids([1, 8, 0]), out: t([3, 6]) });
  kernels.embeddingBackward({ ids: ids([1, 8, 0]), gradOut: t([3, 6]), gradWeight: t([9, 6]) });
  kernels.random({ distribution: 'normal', generator, out: out() });
  kernels.dropout({ x, p: 0.5, generator, out: out() });
}

const number = fc.oneof(fc.constantFrom(...hostileNumbers), fc.integer({ min: -3, max: 300 }));

/** Which template, and what becomes of it. */
export const rawCase = (templates) =>
  fc.record({
    template: fc.nat(templates.length - 1),
    numbers: fc.array(fc.tuple(fc.nat(100), number), { maxLength: 3 }),
    arrays: fc.array(fc.tuple(fc.nat(24), fc.nat(hostileValues.length + 6)), { maxLength: 2 }),
    cut: fc.option(fc.nat(60), { nil: undefined, freq: 6 }),
  });

/** Whether the addon did what it was told. @throws when the answer is no integer. */
export async function runRaw(templates, { template, numbers, arrays, cut }) {
  const { addon } = loadAddon();
  const source = templates[template];
  const spoilt = source.numbers.slice(0, cut ?? source.numbers.length);
  for (const [at, value] of numbers) if (at < spoilt.length) spoilt[at] = value;
  // Outputs are copies, so that templates stay what they are.
  const passed = source.arrays.map((array) => array?.slice());
  for (const [at, kind] of arrays) if (at < passed.length) passed[at] = strange(passed, at, kind);
  const answer = await addon[source.name](spoilt, ...passed);
  if (!Number.isInteger(answer)) throw new Error(`${source.name} answered ${String(answer)}`);
  return answer === 0;
}

function strange(passed, at, kind) {
  if (kind < hostileValues.length) return hostileValues[kind];
  const array = ArrayBuffer.isView(passed[at]) && passed[at].subarray !== undefined ? passed[at] : undefined;
  switch (kind - hostileValues.length) {
    case 0:
      return passed[(at + 1) % passed.length];
    case 1:
      return array?.subarray(0, array.length >> 1);
    case 2:
      return new Uint16Array(array?.length ?? 4);
    case 3:
      if (array !== undefined && array.buffer instanceof ArrayBuffer)
        structuredClone(array.buffer, { transfer: [array.buffer] });
      return array;
    case 4:
      return new Float64Array(4096);
    default:
      return new Int32Array(new SharedArrayBuffer(64));
  }
}
