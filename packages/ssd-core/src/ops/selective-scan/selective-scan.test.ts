import { describe, expect, test } from 'vitest';
import {
  concatenated,
  errorsAgainst,
  type GoldenCase,
  goldenCases,
  type HostTensor,
  hostTensor,
  loadFixture,
  maxRelativeError,
  type RandomScanOptions,
  randomScanInputs,
  randomSource,
  selectiveScanCase,
  sliced,
  toIndexTensor,
  worst,
} from '../../testing/index.js';
import { selectiveScanRef } from './selective-scan.js';
import { selectiveScanBackwardRef } from './selective-scan-backward.js';

/** The golden README's tolerance for this family. */
const tolerance = 1e-12;

function checkCase(golden: GoldenCase): void {
  const { inputs, upstream, expected } = selectiveScanCase(golden);
  const results = { ...selectiveScanRef(inputs), ...selectiveScanBackwardRef({ ...inputs, ...upstream }) };
  expect(worst(errorsAgainst(results, expected))).toBeLessThan(tolerance);
}

describe('golden numbers', () => {
  const fixture = loadFixture(new URL('../../../fixtures/selective-scan.json', import.meta.url));
  test.each(fixture.cases)('fixture $name', checkCase);
  test.each(goldenCases('selective-scan', test.skip))('$name', checkCase);
});

/** out[t] = C[t] . (exp(A sum delta) h0 + sum over s <= t of exp(A sum of later delta) delta[s] u[s] B[s]). */
function unrolledSum(options: RandomScanOptions): { ours: Float64Array; wanted: Float64Array } {
  const { batch = 2, seqLen, dInner = 4, dState = 3 } = options;
  const inputs = randomScanInputs({ ...options, bare: true });
  const { u, delta, A, B, C } = inputs;
  const initialState = randomSource(7).normal([batch, dInner, dState]);
  const wanted = new Float64Array(batch * seqLen * dInner);
  const at = (tensor: HostTensor, ...index: number[]): number =>
    tensor.data[index.reduce((sum, i, axis) => sum * (tensor.shape[axis] as number) + i, 0)] as number;
  for (let b = 0; b < batch; b++) {
    for (let d = 0; d < dInner; d++) {
      for (let n = 0; n < dState; n++) {
        for (let t = 0; t < seqLen; t++) {
          let later = 0;
          let h = 0;
          for (let s = t; s >= 0; s--) {
            const step = at(delta, b, s, d);
            h += Math.exp(at(A, d, n) * later) * step * at(u, b, s, d) * at(B, b, s, n);
            later += step;
          }
          h += Math.exp(at(A, d, n) * later) * at(initialState, b, d, n);
          wanted[(b * seqLen + t) * dInner + d]! += at(C, b, t, n) * h;
        }
      }
    }
  }
  return { ours: selectiveScanRef({ ...inputs, initialState }).out.data, wanted };
}

test('the example of the documentation', () => {
  const ones = hostTensor([1, 1], [1, 2, 1]);
  const A = hostTensor([-1], [1, 1]);
  const { out } = selectiveScanRef({ u: ones, delta: ones, A, B: ones, C: ones });
  expect(out.data).toEqual(Float64Array.of(1, 1 + Math.exp(-1)));
});

describe('laws', () => {
  test.each([1, 2, 31])('the scan of %i steps is the unrolled sum', (seqLen) => {
    const { ours, wanted } = unrolledSum({ seqLen });
    expect(maxRelativeError(ours, wanted)).toBeLessThan(1e-13);
  });

  test.each([false, true])('a split hands its state over (complex %s)', (complex) => {
    const seqLen = 13;
    const whole = randomScanInputs({ seqLen, complex, groupsB: 2 });
    const gradOut = randomSource(3).normal(whole.u.shape);
    const gradLastState = { ...randomSource(4).normal(whole.initialState!.shape), dtype: 'f64' as const };
    const forward = selectiveScanRef(whole);
    const backward = selectiveScanBackwardRef({ ...whole, gradOut, gradLastState });
    for (const at of [0, 1, 6, 13]) {
      const part = (from: number, to: number) => ({
        ...whole,
        u: sliced(whole.u, 1, from, to),
        delta: sliced(whole.delta, 1, from, to),
        B: sliced(whole.B, 1, from, to),
        C: sliced(whole.C, 1, from, to),
        z: sliced(whole.z!, 1, from, to),
      });
      const first = selectiveScanRef(part(0, at));
      const rest = { ...part(at, seqLen), initialState: first.lastState };
      const second = selectiveScanRef(rest);
      // The same operations in the same order: the same bits.
      expect(concatenated([first.out, second.out], 1).data).toEqual(forward.out.data);
      expect(second.lastState.data).toEqual(forward.lastState.data);
      const gradRest = selectiveScanBackwardRef({
        ...rest,
        gradOut: sliced(gradOut, 1, at, seqLen),
        gradLastState,
      });
      const gradFirst = selectiveScanBackwardRef({
        ...part(0, at),
        gradOut: sliced(gradOut, 1, 0, at),
        gradLastState: gradRest.gradInitialState,
      });
      expect(gradFirst.gradInitialState.data).toEqual(backward.gradInitialState.data);
      const gradDelta = concatenated([gradFirst.gradDelta, gradRest.gradDelta], 1);
      expect(gradDelta.data).toEqual(backward.gradDelta.data);
      const gradA = gradFirst.gradA.data.map((value, i) => value + (gradRest.gradA.data[i] as number));
      expect(maxRelativeError(gradA, backward.gradA)).toBeLessThan(1e-13);
    }
  });

  test('packed sequences are separate sequences', () => {
    const bounds = [0, 0, 1, 8, 8, 19];
    const packed = randomScanInputs({ batch: 1, seqLen: 19, cuSeqlens: bounds });
    const gradOut = randomSource(3).normal(packed.u.shape);
    const gradLastState = randomSource(4).normal(packed.initialState!.shape);
    const together = {
      ...selectiveScanRef(packed),
      ...selectiveScanBackwardRef({ ...packed, gradOut, gradLastState }),
    };
    const parts = bounds.slice(1).map((end, s) => {
      const start = bounds[s] as number;
      const { cuSeqlens: _, ...one } = packed;
      const inputs = {
        ...one,
        u: sliced(packed.u, 1, start, end),
        delta: sliced(packed.delta, 1, start, end),
        B: sliced(packed.B, 1, start, end),
        C: sliced(packed.C, 1, start, end),
        z: sliced(packed.z!, 1, start, end),
        initialState: sliced(packed.initialState!, 0, s, s + 1),
      };
      const upstream = {
        gradOut: sliced(gradOut, 1, start, end),
        gradLastState: sliced(gradLastState, 0, s, s + 1),
      };
      return { ...selectiveScanRef(inputs), ...selectiveScanBackwardRef({ ...inputs, ...upstream }) };
    });
    for (const name of ['out', 'gradU', 'gradDelta', 'gradB', 'gradC'] as const) {
      expect(
        concatenated(
          parts.map((part) => part[name]),
          1,
        ).data,
        name,
      ).toEqual(together[name].data);
    }
    for (const name of ['lastState', 'gradInitialState'] as const) {
      expect(
        concatenated(
          parts.map((part) => part[name]),
          0,
        ).data,
        name,
      ).toEqual(together[name].data);
    }
  });

  test('no steps leave the state and its gradient alone', () => {
    const inputs = randomScanInputs({ seqLen: 0 });
    const gradLastState = randomSource(4).normal(inputs.initialState!.shape);
    const gradOut = hostTensor([], inputs.u.shape);
    expect(selectiveScanRef(inputs).out.shape).toEqual([2, 0, 4]);
    expect(selectiveScanRef(inputs).lastState.data).toEqual(inputs.initialState!.data);
    const gradients = selectiveScanBackwardRef({ ...inputs, gradOut, gradLastState });
    expect(gradients.gradInitialState.data).toEqual(gradLastState.data);
    expect(gradients.gradA.data.every((value) => value === 0)).toBe(true);
  });

  test('a complex scan of real numbers is twice the real one', () => {
    const real = randomScanInputs({ seqLen: 9, bare: true });
    const lift = (tensor: HostTensor): HostTensor => {
      const pairs = hostTensor(new Float64Array(2 * tensor.data.length), [...tensor.shape, 2], 'c128');
      tensor.data.forEach((value, i) => {
        pairs.data[2 * i] = value;
      });
      return pairs;
    };
    const complex = selectiveScanRef({ ...real, A: lift(real.A), B: lift(real.B), C: lift(real.C) });
    const doubled = selectiveScanRef(real).out.data.map((value) => 2 * value);
    expect(complex.out.data).toEqual(doubled);
  });

  test('groups that hold the same B and C are one group', () => {
    const one = randomScanInputs({ seqLen: 7 });
    const twice = (tensor: HostTensor) => {
      const single = { ...tensor, shape: [2, 7, 1, 3] };
      return concatenated([single, single], 2);
    };
    const two = { ...one, B: twice(one.B), C: twice(one.C) };
    expect(selectiveScanRef(two).out.data).toEqual(selectiveScanRef(one).out.data);
  });

  test('extreme steps stay finite', () => {
    const inputs = randomScanInputs({ seqLen: 8 });
    const extremes = [-1e4, -750, -40, 0, 19.999, 20.001, 700, 1e4];
    inputs.delta.data.forEach((_, i) => {
      inputs.delta.data[i] = extremes[Math.floor(i / 4) % extremes.length] as number;
    });
    const gradOut = randomSource(3).normal(inputs.u.shape);
    const results = { ...selectiveScanRef(inputs), ...selectiveScanBackwardRef({ ...inputs, gradOut }) };
    for (const [name, result] of Object.entries(results)) {
      expect(result?.data.every(Number.isFinite), name).toBe(true);
    }
  });

  test('a step that softplus takes to zero freezes the state', () => {
    const inputs = randomScanInputs({ seqLen: 5 });
    inputs.delta.data.fill(-1e4);
    expect(selectiveScanRef(inputs).lastState.data).toEqual(inputs.initialState!.data);
  });

  test('inputs are not changed', () => {
    const inputs = randomScanInputs({ seqLen: 5, batch: 1, cuSeqlens: [0, 2, 5] });
    const before = structuredClone(inputs);
    selectiveScanRef(inputs);
    selectiveScanBackwardRef({ ...inputs, gradOut: inputs.u });
    expect(inputs).toEqual(before);
    expect(inputs.cuSeqlens).toEqual(toIndexTensor([0, 2, 5]));
  });
});

test('checkpoints are the states that shorter scans end with', () => {
  const inputs = randomScanInputs({ seqLen: 37 });
  const { checkpoints } = selectiveScanRef(inputs, { withCheckpoints: true });
  expect(checkpoints?.shape).toEqual([2 * 3, 3, 4]);
  for (const [chunk, steps] of [0, 16, 32].entries()) {
    const { u, delta, B, C, z } = inputs;
    const start = Object.fromEntries(
      Object.entries({ u, delta, B, C, z }).map(([name, tensor]) => [
        name,
        sliced(tensor as HostTensor, 1, 0, steps),
      ]),
    );
    const { lastState } = selectiveScanRef({ ...inputs, ...start });
    for (let b = 0; b < 2; b++) {
      for (let d = 0; d < 4; d++) {
        for (let n = 0; n < 3; n++) {
          const kept = checkpoints?.data[((b * 3 + chunk) * 3 + n) * 4 + d];
          expect(kept).toBe(lastState.data[(b * 4 + d) * 3 + n]);
        }
      }
    }
  }
});
