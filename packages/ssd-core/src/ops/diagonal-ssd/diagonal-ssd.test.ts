import { describe, expect, test } from 'vitest';
import {
  concatenated,
  errorsAgainst,
  type HostTensor,
  hostTensor,
  maxRelativeError,
  randomDiagonalSsdInputs,
  randomSource,
  randomSsdInputs,
  reshaped,
  sliced,
  worst,
} from '../../testing/index.js';
import { selectiveScanRef } from '../selective-scan/selective-scan.js';
import { selectiveScanBackwardRef } from '../selective-scan/selective-scan-backward.js';
import { ssdChunkScanRef } from '../ssd-chunk-scan/ssd-chunk-scan.js';
import { ssdChunkScanBackwardRef } from '../ssd-chunk-scan/ssd-chunk-scan-backward.js';
import { diagonalSsdMaskedAttentionRef, diagonalSsdRecurrentRef, diagonalSsdRef } from './diagonal-ssd.js';
import { diagonalSsdBackwardRef } from './diagonal-ssd-backward.js';

/** Sums of at most a few hundred float64 products of order 1, in another order. */
const tolerance = 1e-12;

/** Every number of `tensor` `repeat` times in a row. */
function repeated(tensor: HostTensor, repeat: number, shape: readonly number[]): HostTensor {
  const data = new Float64Array(tensor.data.length * repeat);
  return hostTensor(
    data.map((_, i) => tensor.data[Math.floor(i / repeat)] as number),
    shape,
  );
}

describe('three forms, one result', () => {
  test.each([0, 1, 2, 7, 8, 9, 31, 63, 64, 65, 129])('%i steps', (seqLen) => {
    const inputs = randomDiagonalSsdInputs({ seqLen, batch: 1 });
    const wanted = diagonalSsdRecurrentRef(inputs);
    const others = [diagonalSsdMaskedAttentionRef(inputs)];
    for (const chunkSize of [1, 2, 7, 8, 9, 64, 1000]) others.push(diagonalSsdRef({ ...inputs, chunkSize }));
    for (const form of others)
      expect(worst(errorsAgainst({ ...form }, { ...wanted }))).toBeLessThan(tolerance);
  });

  test('gradients do not depend on the chunks', () => {
    const inputs = randomDiagonalSsdInputs({ seqLen: 45, batch: 1 });
    const upstream = {
      gradOut: randomSource(3).normal(inputs.x.shape),
      gradFinalStates: randomSource(4).normal(inputs.initialStates!.shape),
    };
    const wanted = diagonalSsdBackwardRef({ ...inputs, ...upstream, chunkSize: 1 });
    for (const chunkSize of [2, 8, 13, 24, 1000]) {
      const ours = diagonalSsdBackwardRef({ ...inputs, ...upstream, chunkSize });
      const expected = Object.fromEntries(Object.entries(wanted)) as Record<string, HostTensor>;
      expect(worst(errorsAgainst({ ...ours }, expected)), `chunks of ${chunkSize}`).toBeLessThan(tolerance);
    }
  });

  test('a growing state (positive A) is no exception', () => {
    const inputs = randomDiagonalSsdInputs({ seqLen: 20 });
    inputs.A.data.forEach((value, i) => {
      inputs.A.data[i] = -0.1 * value;
    });
    const wanted = diagonalSsdRecurrentRef(inputs);
    for (const form of [
      diagonalSsdMaskedAttentionRef(inputs),
      diagonalSsdRef({ ...inputs, chunkSize: 16 }),
    ]) {
      expect(worst(errorsAgainst({ ...form }, { ...wanted }))).toBeLessThan(tolerance);
    }
  });

  test('decays whose cumulative products underflow stay exact: no quotient of two of them is taken', () => {
    const inputs = randomDiagonalSsdInputs({ seqLen: 70 });
    const extremes = [-1e4, -750, -40, 0, 19.999, 20.001, 700, 1e4];
    inputs.dt.data.forEach((_, i) => {
      inputs.dt.data[i] = extremes[Math.floor(i / 4) % extremes.length] as number;
    });
    inputs.A.data.set([-50, -1e-8, -1, -700, -0.01, -3e-3]);
    const gradOut = randomSource(3).normal(inputs.x.shape);
    const results = { ...diagonalSsdRef(inputs), ...diagonalSsdBackwardRef({ ...inputs, gradOut }) };
    for (const [name, result] of Object.entries(results)) {
      expect(result?.data.every(Number.isFinite), name).toBe(true);
    }
    const wanted = { ...diagonalSsdRecurrentRef(inputs) };
    expect(worst(errorsAgainst({ ...diagonalSsdRef(inputs) }, wanted))).toBeLessThan(tolerance);
    expect(worst(errorsAgainst({ ...diagonalSsdMaskedAttentionRef(inputs) }, wanted))).toBeLessThan(
      tolerance,
    );
  });
});

test('the example of the documentation', () => {
  const x = hostTensor([1, 1], [1, 2, 1, 1]);
  const dt = hostTensor([1, 1], [1, 2, 1]);
  const A = hostTensor([-1, -2], [1, 2]);
  const B = hostTensor([1, 1, 1, 1], [1, 2, 1, 2]);
  const { out } = diagonalSsdRef({ x, dt, A, B, C: B });
  expect(maxRelativeError(out, [2, 2 + Math.exp(-1) + Math.exp(-2)])).toBeLessThan(1e-15);
});

describe('what it generalises', () => {
  test('with equal decays it is the scalar SSD scan, forward and backward', () => {
    const scalar = randomSsdInputs({ seqLen: 21, chunkSize: 16 });
    const [nHeads, dState] = [4, 5];
    const inputs = { ...scalar, A: repeated(scalar.A, dState, [nHeads, dState]) };
    expect(worst(errorsAgainst({ ...diagonalSsdRef(inputs) }, { ...ssdChunkScanRef(scalar) }))).toBeLessThan(
      tolerance,
    );
    const upstream = {
      gradOut: randomSource(3).normal(inputs.x.shape),
      gradFinalStates: randomSource(4).normal(inputs.initialStates!.shape),
    };
    const { gradA, ...gradients } = diagonalSsdBackwardRef({ ...inputs, ...upstream });
    const { gradA: wantedA, ...wanted } = ssdChunkScanBackwardRef({ ...scalar, ...upstream });
    const expected = wanted as unknown as Record<string, HostTensor>;
    expect(worst(errorsAgainst({ ...gradients }, expected))).toBeLessThan(tolerance);
    const summed = wantedA.data.map((_, h) =>
      gradA.data.slice(h * dState, (h + 1) * dState).reduce((sum, value) => sum + value, 0),
    );
    expect(maxRelativeError(summed, wantedA)).toBeLessThan(tolerance);
  });

  test('it is the selective scan whose A and delta are tied over the channels of a head', () => {
    const inputs = randomDiagonalSsdInputs({ seqLen: 21, chunkSize: 16 });
    const [nHeads, headDim, dState, channels] = [4, 3, 5, 12];
    const flat = (tensor: HostTensor) => reshaped(tensor, [2, 21, channels]);
    const rates = new Float64Array(channels * dState);
    for (let i = 0; i < rates.length; i++) {
      const head = Math.floor(i / (headDim * dState));
      rates[i] = inputs.A.data[head * dState + (i % dState)] as number;
    }
    const scan = {
      u: flat(inputs.x),
      delta: repeated(inputs.dt, headDim, [2, 21, channels]),
      A: hostTensor(rates, [channels, dState]),
      B: inputs.B,
      C: inputs.C,
      D: repeated(inputs.D!, headDim, [channels]),
      z: flat(inputs.z!),
      deltaBias: repeated(inputs.dtBias!, headDim, [channels]),
      deltaSoftplus: true,
      initialState: reshaped(inputs.initialStates!, [2, channels, dState]),
    };
    const wanted = selectiveScanRef(scan);
    const ours = diagonalSsdRef(inputs);
    expect(maxRelativeError(ours.out, wanted.out)).toBeLessThan(tolerance);
    expect(maxRelativeError(ours.finalStates, wanted.lastState)).toBeLessThan(tolerance);

    const gradOut = randomSource(3).normal(inputs.x.shape);
    const gradients = diagonalSsdBackwardRef({ ...inputs, gradOut });
    const expected = selectiveScanBackwardRef({ ...scan, gradOut: flat(gradOut) });
    for (const [ourName, name] of [
      ['gradX', 'gradU'],
      ['gradB', 'gradB'],
      ['gradC', 'gradC'],
      ['gradZ', 'gradZ'],
      ['gradInitialStates', 'gradInitialState'],
    ] as const) {
      expect(maxRelativeError(gradients[ourName]!, expected[name]!), ourName).toBeLessThan(tolerance);
    }
    // A head's step and rates have the sum of the gradients of its channels.
    const gradDt = gradients.gradDt.data.map((_, i) =>
      expected.gradDelta.data.slice(i * headDim, (i + 1) * headDim).reduce((sum, value) => sum + value, 0),
    );
    expect(maxRelativeError(gradients.gradDt, gradDt)).toBeLessThan(tolerance);
    const gradA = new Float64Array(nHeads * dState);
    expected.gradA.data.forEach((value, i) => {
      const at = Math.floor(i / (headDim * dState)) * dState + (i % dState);
      gradA[at] = (gradA[at] as number) + value;
    });
    expect(maxRelativeError(gradients.gradA, gradA)).toBeLessThan(tolerance);
  });
});

describe('sequences', () => {
  test('a split hands its state over, and its gradient back', () => {
    const whole = randomDiagonalSsdInputs({ seqLen: 13, chunkSize: 4 });
    const gradOut = randomSource(3).normal(whole.x.shape);
    const gradFinalStates = randomSource(4).normal(whole.initialStates!.shape);
    const forward = diagonalSsdRef(whole);
    const backward = diagonalSsdBackwardRef({ ...whole, gradOut, gradFinalStates });
    const part = (from: number, to: number) => ({
      ...whole,
      x: sliced(whole.x, 1, from, to),
      dt: sliced(whole.dt, 1, from, to),
      B: sliced(whole.B, 1, from, to),
      C: sliced(whole.C, 1, from, to),
      z: sliced(whole.z!, 1, from, to),
    });
    for (const at of [0, 1, 4, 7, 13]) {
      const first = diagonalSsdRef(part(0, at));
      const rest = { ...part(at, 13), initialStates: first.finalStates };
      const second = diagonalSsdRef(rest);
      expect(maxRelativeError(concatenated([first.out, second.out], 1), forward.out)).toBeLessThan(tolerance);
      expect(maxRelativeError(second.finalStates, forward.finalStates)).toBeLessThan(tolerance);
      const gradRest = diagonalSsdBackwardRef({
        ...rest,
        gradOut: sliced(gradOut, 1, at, 13),
        gradFinalStates,
      });
      const gradFirst = diagonalSsdBackwardRef({
        ...part(0, at),
        gradOut: sliced(gradOut, 1, 0, at),
        gradFinalStates: gradRest.gradInitialStates,
      });
      const gradDt = concatenated([gradFirst.gradDt, gradRest.gradDt], 1);
      expect(maxRelativeError(gradDt, backward.gradDt)).toBeLessThan(tolerance);
      expect(maxRelativeError(gradFirst.gradInitialStates, backward.gradInitialStates)).toBeLessThan(
        tolerance,
      );
    }
  });

  test('packed sequences are separate sequences', () => {
    const bounds = [0, 0, 1, 8, 8, 19];
    const packed = randomDiagonalSsdInputs({ batch: 1, seqLen: 19, cuSeqlens: bounds, chunkSize: 4 });
    const gradOut = randomSource(3).normal(packed.x.shape);
    const together = { ...diagonalSsdRef(packed), ...diagonalSsdBackwardRef({ ...packed, gradOut }) };
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
      const upstream = { gradOut: sliced(gradOut, 1, start, end) };
      return { ...diagonalSsdRef(inputs), ...diagonalSsdBackwardRef({ ...inputs, ...upstream }) };
    });
    for (const [name, axis] of [
      ['out', 1],
      ['gradX', 1],
      ['gradDt', 1],
      ['gradB', 1],
      ['gradC', 1],
      ['finalStates', 0],
      ['gradInitialStates', 0],
    ] as const) {
      const pieces = concatenated(
        parts.map((piece) => piece[name]),
        axis,
      );
      expect(pieces.data, name).toEqual(together[name].data);
    }
  });

  test('dtLimit clamps the step, with a zero gradient outside', () => {
    const inputs = randomDiagonalSsdInputs({ seqLen: 9, bare: true, dtLimit: [0.2, 0.5] });
    const clamped = { ...inputs.dt, data: inputs.dt.data.map((dt) => Math.min(Math.max(dt, 0.2), 0.5)) };
    const { dtLimit: _, ...free } = inputs;
    expect(diagonalSsdRef(inputs).out.data).toEqual(diagonalSsdRef({ ...free, dt: clamped }).out.data);
    const gradOut = randomSource(3).normal(inputs.x.shape);
    const limited = diagonalSsdBackwardRef({ ...inputs, gradOut }).gradDt.data;
    const unlimited = diagonalSsdBackwardRef({ ...free, dt: clamped, gradOut }).gradDt.data;
    limited.forEach((gradient, i) => {
      const inside = inputs.dt.data[i] === clamped.data[i];
      expect(gradient).toBe(inside ? unlimited[i] : 0);
    });
  });
});
