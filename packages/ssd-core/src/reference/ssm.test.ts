import { describe, expect, test } from 'vitest';
import type { DType, TypedArray } from '../dtype.js';
import { decodeBfloat16, decodeFloat16, encodeBfloat16, encodeFloat16 } from '../half-floats.js';
import { causalConv1dBackwardRef, causalConv1dRef, causalConv1dUpdateRef } from '../index.js';
import { diagonalSsdRef } from '../ops/diagonal-ssd/diagonal-ssd.js';
import { diagonalSsdBackwardRef } from '../ops/diagonal-ssd/diagonal-ssd-backward.js';
import { selectiveScanRef } from '../ops/selective-scan/selective-scan.js';
import { selectiveScanBackwardRef } from '../ops/selective-scan/selective-scan-backward.js';
import { selectiveStateUpdateRef } from '../ops/selective-state-update/selective-state-update.js';
import { ssdChunkScanRef } from '../ops/ssd-chunk-scan/ssd-chunk-scan.js';
import { ssdChunkScanBackwardRef } from '../ops/ssd-chunk-scan/ssd-chunk-scan-backward.js';
import {
  type HostTensor,
  nanTensor,
  permuted,
  randomConvInputs,
  randomDiagonalSsdInputs,
  randomScanInputs,
  randomSource,
  randomSsdInputs,
  randomUpdateInputs,
} from '../testing/index.js';
import { referenceSsmKernels as kernels } from './ssm.js';

const rounded = (values: Float64Array) => Float32Array.from(values);

/** NaN-filled f32 outputs for each defined result. */
function outputsFor<Key extends string>(
  results: Readonly<Partial<Record<Key, HostTensor | undefined>>>,
): Record<Key, { data: Float32Array; shape: readonly number[] }> {
  const entries = Object.entries(results) as [Key, HostTensor | undefined][];
  const defined = entries.filter((entry): entry is [Key, HostTensor] => entry[1] !== undefined);
  return Object.fromEntries(defined.map(([name, { shape }]) => [name, nanTensor(shape, 'f32')])) as Record<
    Key,
    { data: Float32Array; shape: readonly number[] }
  >;
}

/** Each output is its float64 result, rounded once. */
function expectRounded(
  outputs: Readonly<Record<string, { data: Float32Array }>>,
  results: Readonly<Record<string, HostTensor | undefined>>,
): void {
  expect(Object.keys(outputs)).not.toHaveLength(0);
  for (const [name, { data }] of Object.entries(outputs)) {
    expect(data, name).toEqual(rounded((results[name] as HostTensor).data));
  }
}

describe('every kernel rounds its float64 result once, over the whole output', () => {
  const source = randomSource(9);

  test('selectiveScan and its backward', () => {
    for (const complex of [false, true]) {
      const inputs = randomScanInputs({ seqLen: 6, complex });
      const results = selectiveScanRef(inputs, { withCheckpoints: !complex });
      const outputs = outputsFor({ ...results });
      kernels.selectiveScan({ ...inputs, ...outputs });
      expectRounded(outputs, { ...results });
      const upstream = { gradOut: source.normal(inputs.u.shape) };
      const gradients = selectiveScanBackwardRef({ ...inputs, ...upstream });
      const made = outputsFor({ ...gradients });
      kernels.selectiveScanBackward({ ...inputs, ...upstream, ...made });
      expect(Object.keys(made)).toHaveLength(9);
      expectRounded(made, { ...gradients });
    }
  });

  test('causalConv1d and its backward', () => {
    const inputs = randomConvInputs({ seqLen: 6 });
    const results = causalConv1dRef(inputs);
    const outputs = outputsFor({ ...results });
    kernels.causalConv1d({ ...inputs, ...outputs });
    expectRounded(outputs, { ...results });
    const upstream = { gradOut: source.normal(inputs.x.shape) };
    const gradients = causalConv1dBackwardRef({ ...inputs, ...upstream });
    const made = outputsFor({ ...gradients });
    kernels.causalConv1dBackward({ ...inputs, ...upstream, ...made });
    expect(Object.keys(made)).toHaveLength(4);
    expectRounded(made, { ...gradients });
  });

  test('ssdChunkScan and its backward', () => {
    const inputs = randomSsdInputs({ seqLen: 6, chunkSize: 4 });
    const results = ssdChunkScanRef(inputs);
    const outputs = outputsFor({ ...results });
    kernels.ssdChunkScan({ ...inputs, ...outputs });
    expectRounded(outputs, { ...results });
    const upstream = { gradOut: source.normal(inputs.x.shape) };
    const gradients = ssdChunkScanBackwardRef({ ...inputs, ...upstream });
    const made = outputsFor({ ...gradients });
    kernels.ssdChunkScanBackward({ ...inputs, ...upstream, ...made });
    expect(Object.keys(made)).toHaveLength(9);
    expectRounded(made, { ...gradients });
  });

  test('diagonalSsd and its backward', () => {
    const inputs = randomDiagonalSsdInputs({ seqLen: 6, chunkSize: 4 });
    const results = diagonalSsdRef(inputs);
    const outputs = outputsFor({ ...results });
    kernels.diagonalSsd({ ...inputs, ...outputs });
    expectRounded(outputs, { ...results });
    const upstream = { gradOut: source.normal(inputs.x.shape) };
    const gradients = diagonalSsdBackwardRef({ ...inputs, ...upstream });
    const made = outputsFor({ ...gradients });
    kernels.diagonalSsdBackward({ ...inputs, ...upstream, ...made });
    expect(Object.keys(made)).toHaveLength(9);
    expectRounded(made, { ...gradients });
  });

  test('decode steps change their state in place', () => {
    const step = randomUpdateInputs({ nHeads: 4, tied: true });
    const wanted = selectiveStateUpdateRef(step);
    const state = { data: rounded(step.state.data), shape: step.state.shape };
    const out = nanTensor(step.x.shape, 'f32');
    kernels.selectiveStateUpdate({ ...step, state, out });
    expectRounded({ out, state }, { ...wanted });

    const { x, weight, bias } = randomConvInputs({ seqLen: 2 });
    const start = source.normal([2, 3, 4]);
    const wantedConv = causalConv1dUpdateRef({ x, weight, bias, convState: start });
    const convState = { data: rounded(start.data), shape: start.shape };
    const convOut = nanTensor(x.shape, 'f32');
    kernels.causalConv1dUpdate({ x, weight, bias, convState, out: convOut });
    expectRounded({ out: convOut, convState }, { ...wantedConv });
  });
});

describe('storage', () => {
  test('inputs may lie as (B, D, L), seen through strides and an offset', () => {
    const inputs = randomScanInputs({ seqLen: 5 });
    const strided = (tensor: HostTensor) => {
      const [batch, seqLen, dim] = tensor.shape as [number, number, number];
      const data = new Float64Array(tensor.data.length + 3).fill(Number.NaN);
      data.set(permuted(tensor, [0, 2, 1]).data, 3);
      return { data, shape: [batch, seqLen, dim], strides: [seqLen * dim, 1, seqLen], offset: 3 };
    };
    const out = nanTensor(inputs.u.shape);
    const { u, delta, B, C, z } = inputs;
    kernels.selectiveScan({
      ...inputs,
      u: strided(u),
      delta: strided(delta),
      B: strided(B),
      C: strided(C),
      z: strided(z as HostTensor),
      out,
    });
    expect(out.data).toEqual(selectiveScanRef(inputs).out.data);
  });

  test.each([
    ['f16', encodeFloat16, decodeFloat16],
    ['bf16', encodeBfloat16, decodeBfloat16],
  ] as const)('%s in and out, float64 between', (dtype, encode, decode) => {
    const { x, weight } = randomConvInputs({ seqLen: 5, bare: true });
    const half = (tensor: HostTensor): { data: TypedArray; shape: readonly number[]; dtype: DType } => ({
      data: Uint16Array.from(tensor.data, encode),
      shape: tensor.shape,
      dtype,
    });
    const widened = (tensor: HostTensor) => ({
      data: tensor.data.map((value) => decode(encode(value))),
      shape: tensor.shape,
    });
    const out = half({ data: new Float64Array(30).fill(Number.NaN), shape: x.shape });
    kernels.causalConv1d({ x: half(x), weight: half(weight), activation: 'silu', out });
    const wanted = causalConv1dRef({ x: widened(x), weight: widened(weight), activation: 'silu' });
    expect(out.data).toEqual(Uint16Array.from(wanted.out.data, encode));
  });

  test('an output may be the memory of an input', () => {
    const inputs = randomSsdInputs({ seqLen: 5 });
    const wanted = ssdChunkScanRef(inputs).out.data;
    kernels.ssdChunkScan({ ...inputs, out: inputs.x });
    expect(inputs.x.data).toEqual(wanted);
  });
});

describe('nothing is written when an argument does not fit', () => {
  const inputs = randomScanInputs({ seqLen: 5 });

  test('an output of another shape', () => {
    const out = nanTensor(inputs.u.shape);
    const lastState = nanTensor([2, 3, 4]);
    expect(() => kernels.selectiveScan({ ...inputs, out, lastState })).toThrow(
      /lastState: expected \(B, D, N\)/,
    );
    expect(out.data.every(Number.isNaN)).toBe(true);
  });

  test.each([
    [20, 1, 1],
    [20, 2, 1],
    [0, 4, 1],
  ])('an output whose entries share memory: strides (%i, %i, %i)', (...strides) => {
    const out = { ...nanTensor(inputs.u.shape), strides };
    expect(() => kernels.selectiveScan({ ...inputs, out })).toThrow(
      /out: expected an output whose entries are separate, got strides/,
    );
    expect(out.data.every(Number.isNaN)).toBe(true);
  });

  test('a state that is not contiguous', () => {
    const lastState = { ...nanTensor([2, 4, 3]), strides: [12, 1, 4] };
    const out = nanTensor(inputs.u.shape);
    expect(() => kernels.selectiveScan({ ...inputs, out, lastState })).toThrow(
      /lastState: expected a contiguous output/,
    );
    expect(out.data.every(Number.isNaN)).toBe(true);
  });

  test('a gradient of an input that was not given', () => {
    const { z: _, ...ungated } = inputs;
    const gradU = nanTensor(inputs.u.shape);
    const args = { ...ungated, gradOut: inputs.u, gradU, gradZ: nanTensor(inputs.u.shape) };
    expect(() => kernels.selectiveScanBackward(args)).toThrow(/gradZ: expected no gradient of an input/);
    expect(gradU.data.every(Number.isNaN)).toBe(true);
  });

  test('a state whose output does not fit', () => {
    const step = randomUpdateInputs({});
    const before = step.state.data.slice();
    expect(() => kernels.selectiveStateUpdate({ ...step, out: nanTensor([3, 5]) })).toThrow(/out: expected/);
    expect(step.state.data).toEqual(before);
  });
});
