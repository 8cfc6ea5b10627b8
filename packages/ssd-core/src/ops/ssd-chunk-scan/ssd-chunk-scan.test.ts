import { describe, expect, test } from 'vitest';
import {
  concatenated,
  errorsAgainst,
  type GoldenCase,
  goldenCases,
  goldenTensor,
  type HostTensor,
  hostTensor,
  loadFixture,
  maxRelativeError,
  optionalGoldenTensor,
  randomSource,
  randomSsdInputs,
  sliced,
  ssdCase,
  worst,
} from '../../testing/index.js';
import { selectiveScanRef } from '../selective-scan/selective-scan.js';
import { chunkedHead } from './chunked.js';
import { chunkedHeadBackward } from './chunked-backward.js';
import { maskedAttentionHead } from './masked-attention.js';
import { recurrentHead } from './recurrent.js';
import { ssdChunkScanRef, ssdMaskedAttentionRef, ssdRecurrentRef } from './ssd-chunk-scan.js';
import { ssdChunkScanBackwardRef } from './ssd-chunk-scan-backward.js';
import { cutRows, type SsdHead } from './ssd-data.js';

/** The golden README's tolerance for this family. */
const tolerance = 1e-12;

function checkCase(golden: GoldenCase): void {
  const { inputs, upstream, expected } = ssdCase(golden);
  for (const chunkSize of golden.params.chunk_sizes_to_try as number[]) {
    const sized = { ...inputs, chunkSize };
    const results = { ...ssdChunkScanRef(sized), ...ssdChunkScanBackwardRef({ ...sized, ...upstream }) };
    expect(worst(errorsAgainst(results, expected)), `chunk size ${chunkSize}`).toBeLessThan(tolerance);
  }
  const forward = Object.fromEntries(
    Object.entries(expected).filter(([name]) => name === 'out' || name === 'finalStates'),
  );
  for (const form of [ssdRecurrentRef, ssdMaskedAttentionRef]) {
    expect(worst(errorsAgainst({ ...form(inputs) }, forward)), form.name).toBeLessThan(tolerance);
  }
}

/** Cases of the bare mathematics: X is x dt, A the log decay of every step, B and C are given per head. */
function checkCoreCase(golden: GoldenCase): void {
  const X = goldenTensor(golden.inputs, 'X');
  const [batch, seqLen, nHeads, headDim] = X.shape as [number, number, number, number];
  const dState = golden.params.dstate as number;
  const initial = optionalGoldenTensor(golden.inputs, 'initial_states');
  const stateSize = headDim * dState;
  const rowsOf = (tensor: HostTensor, b: number, h: number, width: number) =>
    cutRows(tensor.data, b * seqLen, seqLen, nHeads, h, width);
  const stateOf = (tensor: HostTensor, b: number, h: number) =>
    tensor.data.slice((b * nHeads + h) * stateSize, (b * nHeads + h + 1) * stateSize);
  const input = (name: string) => goldenTensor(golden.inputs, name);
  const output = (name: string) => goldenTensor(golden.outputs, name);
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < nHeads; h++) {
      const head: SsdHead = {
        steps: seqLen,
        headDim,
        dState,
        x: rowsOf(X, b, h, headDim),
        dt: new Float64Array(seqLen).fill(1),
        a: rowsOf(input('A'), b, h, 1),
        B: rowsOf(input('B'), b, h, dState),
        C: rowsOf(input('C'), b, h, dState),
        initial: initial === undefined ? new Float64Array(stateSize) : stateOf(initial, b, h),
      };
      const near = (ours: Float64Array, wanted: Float64Array, what: string) =>
        expect(maxRelativeError(ours, wanted), what).toBeLessThan(tolerance);
      const y = rowsOf(output('Y'), b, h, headDim);
      const state = stateOf(output('final_states'), b, h);
      for (const form of [recurrentHead, maskedAttentionHead]) {
        near(form(head).y, y, form.name);
        near(form(head).state, state, form.name);
      }
      for (const chunkSize of [1, 2, 4, 7, 64]) {
        near(chunkedHead(head, chunkSize).y, y, 'chunked');
        near(chunkedHead(head, chunkSize).state, state, 'chunked');
        const gradY = rowsOf(input('grad_Y'), b, h, headDim);
        const gradState = stateOf(input('grad_final_states'), b, h);
        const gradients = chunkedHeadBackward(head, chunkSize, gradY, gradState);
        near(gradients.x, rowsOf(output('grad_X'), b, h, headDim), 'grad X');
        near(gradients.a, rowsOf(output('grad_A'), b, h, 1), 'grad A');
        near(gradients.B, rowsOf(output('grad_B'), b, h, dState), 'grad B');
        near(gradients.C, rowsOf(output('grad_C'), b, h, dState), 'grad C');
        if (initial) near(gradients.initial, stateOf(output('grad_initial_states'), b, h), 'grad initial');
      }
    }
  }
}

describe('golden numbers', () => {
  const isCore = ({ params }: GoldenCase) => params.method === 'core';
  const check = (golden: GoldenCase) => (isCore(golden) ? checkCoreCase(golden) : checkCase(golden));
  const fixture = loadFixture(new URL('../../../fixtures/ssd.json', import.meta.url));
  test.each(fixture.cases)('fixture $name', check);
  test.each(goldenCases('ssd', test.skip))('$name', check);
});

describe('three forms, one result', () => {
  test.each([0, 1, 2, 3, 31, 63, 64, 65, 129])('%i steps', (seqLen) => {
    const inputs = randomSsdInputs({ seqLen, batch: 1 });
    const wanted = ssdRecurrentRef(inputs);
    const others = [ssdMaskedAttentionRef(inputs)];
    for (const chunkSize of [1, 2, 7, 64, 1000]) others.push(ssdChunkScanRef({ ...inputs, chunkSize }));
    for (const form of others) expect(worst(errorsAgainst({ ...form }, { ...wanted }))).toBeLessThan(1e-13);
  });

  test('a growing state (positive A) is no exception', () => {
    const inputs = randomSsdInputs({ seqLen: 20 });
    inputs.A.data.forEach((value, i) => {
      inputs.A.data[i] = -0.1 * value;
    });
    const wanted = ssdRecurrentRef(inputs);
    for (const form of [ssdMaskedAttentionRef(inputs), ssdChunkScanRef({ ...inputs, chunkSize: 6 })]) {
      expect(worst(errorsAgainst({ ...form }, { ...wanted }))).toBeLessThan(1e-13);
    }
  });
});

test('the example of the documentation', () => {
  const ones = hostTensor([1, 1], [1, 2, 1, 1]);
  const dt = hostTensor([1, 1], [1, 2, 1]);
  const A = hostTensor([-1], [1]);
  const { out } = ssdChunkScanRef({ x: ones, dt, A, B: ones, C: ones, chunkSize: 1 });
  expect(out.data).toEqual(Float64Array.of(1, 1 + Math.exp(-1)));
});

describe('laws', () => {
  test('SSD is the selective scan whose A and delta are tied over the channels of a head', () => {
    const inputs = randomSsdInputs({ seqLen: 11 });
    const [nHeads, headDim, dState] = [4, 3, 5];
    const perChannel = (tensor: HostTensor, rows: number, shape: number[], repeat: number) => {
      const data = new Float64Array(rows * nHeads * repeat);
      for (let i = 0; i < data.length; i++) data[i] = tensor.data[Math.floor(i / repeat)] as number;
      return hostTensor(data, shape);
    };
    const flat = (tensor: HostTensor) => hostTensor(tensor.data, [2, 11, nHeads * headDim]);
    const channels = nHeads * headDim;
    const scanned = selectiveScanRef({
      u: flat(inputs.x),
      delta: perChannel(inputs.dt, 2 * 11, [2, 11, channels], headDim),
      A: perChannel(inputs.A, 1, [channels, dState], headDim * dState),
      B: inputs.B,
      C: inputs.C,
      D: perChannel(inputs.D!, 1, [channels], headDim),
      z: flat(inputs.z!),
      deltaBias: perChannel(inputs.dtBias!, 1, [channels], headDim),
      deltaSoftplus: true,
      initialState: hostTensor(inputs.initialStates!.data, [2, channels, dState]),
    });
    const chunked = ssdChunkScanRef({ ...inputs, chunkSize: 4 });
    expect(maxRelativeError(chunked.out, scanned.out)).toBeLessThan(1e-14);
    expect(maxRelativeError(chunked.finalStates, scanned.lastState)).toBeLessThan(1e-14);
  });

  test('a split hands its state over', () => {
    const whole = randomSsdInputs({ seqLen: 13, chunkSize: 4 });
    const gradOut = randomSource(3).normal(whole.x.shape);
    const gradFinalStates = randomSource(4).normal(whole.initialStates!.shape);
    const forward = ssdChunkScanRef(whole);
    const backward = ssdChunkScanBackwardRef({ ...whole, gradOut, gradFinalStates });
    const part = (from: number, to: number) => ({
      ...whole,
      x: sliced(whole.x, 1, from, to),
      dt: sliced(whole.dt, 1, from, to),
      B: sliced(whole.B, 1, from, to),
      C: sliced(whole.C, 1, from, to),
      z: sliced(whole.z!, 1, from, to),
    });
    for (const at of [0, 1, 4, 7, 13]) {
      const first = ssdChunkScanRef(part(0, at));
      const rest = { ...part(at, 13), initialStates: first.finalStates };
      const second = ssdChunkScanRef(rest);
      expect(maxRelativeError(concatenated([first.out, second.out], 1), forward.out)).toBeLessThan(1e-14);
      expect(maxRelativeError(second.finalStates, forward.finalStates)).toBeLessThan(1e-14);
      const gradRest = ssdChunkScanBackwardRef({
        ...rest,
        gradOut: sliced(gradOut, 1, at, 13),
        gradFinalStates,
      });
      const gradFirst = ssdChunkScanBackwardRef({
        ...part(0, at),
        gradOut: sliced(gradOut, 1, 0, at),
        gradFinalStates: gradRest.gradInitialStates,
      });
      const gradDt = concatenated([gradFirst.gradDt, gradRest.gradDt], 1);
      expect(maxRelativeError(gradDt, backward.gradDt)).toBeLessThan(1e-13);
      expect(maxRelativeError(gradFirst.gradInitialStates, backward.gradInitialStates)).toBeLessThan(1e-13);
    }
  });

  test('packed sequences are separate sequences', () => {
    const bounds = [0, 0, 1, 8, 8, 19];
    const packed = randomSsdInputs({ batch: 1, seqLen: 19, cuSeqlens: bounds, chunkSize: 4 });
    const gradOut = randomSource(3).normal(packed.x.shape);
    const gradFinalStates = randomSource(4).normal(packed.initialStates!.shape);
    const together = {
      ...ssdChunkScanRef(packed),
      ...ssdChunkScanBackwardRef({ ...packed, gradOut, gradFinalStates }),
    };
    const parts = bounds.slice(1).map((end, s) => {
      const start = bounds[s] as number;
      const { cuSeqlens: _, ...one } = packed;
      const inputs = {
        ...one,
        x: sliced(packed.x, 1, start, end),
        dt: sliced(packed.dt, 1, start, end),
        B: sliced(packed.B, 1, start, end),
        C: sliced(packed.C, 1, start, end),
        z: sliced(packed.z!, 1, start, end),
        initialStates: sliced(packed.initialStates!, 0, s, s + 1),
      };
      const upstream = {
        gradOut: sliced(gradOut, 1, start, end),
        gradFinalStates: sliced(gradFinalStates, 0, s, s + 1),
      };
      return { ...ssdChunkScanRef(inputs), ...ssdChunkScanBackwardRef({ ...inputs, ...upstream }) };
    });
    for (const name of ['out', 'gradX', 'gradDt', 'gradB', 'gradC'] as const) {
      expect(
        concatenated(
          parts.map((part) => part[name]),
          1,
        ).data,
        name,
      ).toEqual(together[name].data);
    }
    for (const name of ['finalStates', 'gradInitialStates'] as const) {
      expect(
        concatenated(
          parts.map((part) => part[name]),
          0,
        ).data,
        name,
      ).toEqual(together[name].data);
    }
  });

  test('dtLimit clamps the step, with a zero gradient outside', () => {
    const inputs = randomSsdInputs({ seqLen: 9, bare: true, dtLimit: [0.2, 0.5] });
    const clamped = { ...inputs.dt, data: inputs.dt.data.map((dt) => Math.min(Math.max(dt, 0.2), 0.5)) };
    const { dtLimit: _, ...free } = inputs;
    expect(ssdChunkScanRef(inputs).out.data).toEqual(ssdChunkScanRef({ ...free, dt: clamped }).out.data);
    const gradOut = randomSource(3).normal(inputs.x.shape);
    const limited = ssdChunkScanBackwardRef({ ...inputs, gradOut }).gradDt.data;
    const unlimited = ssdChunkScanBackwardRef({ ...free, dt: clamped, gradOut }).gradDt.data;
    limited.forEach((gradient, i) => {
      const inside = inputs.dt.data[i] === clamped.data[i];
      expect(gradient).toBe(inside ? unlimited[i] : 0);
    });
  });

  test('strong decay and extreme steps stay finite in every form', () => {
    const inputs = randomSsdInputs({ seqLen: 70 });
    const extremes = [-1e4, -750, -40, 0, 19.999, 20.001, 700, 1e4];
    inputs.dt.data.forEach((_, i) => {
      inputs.dt.data[i] = extremes[Math.floor(i / 4) % extremes.length] as number;
    });
    inputs.A.data.set([-50, -1e-8, -1, -700]);
    const gradOut = randomSource(3).normal(inputs.x.shape);
    const results = { ...ssdChunkScanRef(inputs), ...ssdChunkScanBackwardRef({ ...inputs, gradOut }) };
    for (const [name, result] of Object.entries(results)) {
      expect(result?.data.every(Number.isFinite), name).toBe(true);
    }
    const wanted = ssdRecurrentRef(inputs);
    expect(worst(errorsAgainst({ ...ssdChunkScanRef(inputs) }, { ...wanted }))).toBeLessThan(1e-12);
    expect(worst(errorsAgainst({ ...ssdMaskedAttentionRef(inputs) }, { ...wanted }))).toBeLessThan(1e-12);
  });
});
