import { describe, expect, test } from 'vitest';
import {
  type GoldenCase,
  goldenCases,
  type HostTensor,
  loadFixture,
  maxRelativeError,
  randomScanInputs,
  randomSource,
  randomSsdInputs,
  randomUpdateInputs,
  selectiveStateUpdateSteps,
  sliced,
  toIndexTensor,
} from '../../testing/index.js';
import { selectiveScanRef } from '../selective-scan/selective-scan.js';
import { ssdRecurrentRef } from '../ssd-chunk-scan/ssd-chunk-scan.js';
import { selectiveStateUpdateRef } from './selective-state-update.js';

/** The golden README's tolerance for this family. */
const tolerance = 1e-13;

function checkCase(golden: GoldenCase): void {
  const { state, steps, expectedOut, expectedState } = selectiveStateUpdateSteps(golden);
  let running: HostTensor = state;
  steps.forEach((step, i) => {
    const result = selectiveStateUpdateRef({ ...step, state: running });
    expect(maxRelativeError(result.out, expectedOut[i] as HostTensor), `step ${i}`).toBeLessThan(tolerance);
    running = result.state;
  });
  expect(maxRelativeError(running, expectedState)).toBeLessThan(tolerance);
}

describe('golden numbers', () => {
  const fixture = loadFixture(new URL('../../../fixtures/selective-state-update.json', import.meta.url));
  test.each(fixture.cases)('fixture $name', checkCase);
  test.each(goldenCases('selective-state-update', test.skip))('$name', checkCase);
});

/** Entries of step `t` of (B, L, ...), without the axis L. */
function at(tensor: HostTensor, t: number): HostTensor {
  const { data, shape } = sliced(tensor, 1, t, t + 1);
  return { data, shape: [shape[0] as number, ...shape.slice(2)] };
}

test('the example of the documentation', () => {
  const one = { data: Float64Array.of(1), shape: [1, 1] };
  const state = { data: Float64Array.of(1), shape: [1, 1, 1] };
  const A = { data: Float64Array.of(-1), shape: [1, 1] };
  const { out } = selectiveStateUpdateRef({ state, x: one, dt: one, A, B: one, C: one });
  expect(out.data).toEqual(Float64Array.of(Math.exp(-1) + 1));
});

describe('laws', () => {
  test('stepping is the selective scan', () => {
    const scan = randomScanInputs({ seqLen: 7, groupsB: 2, groupsC: 2 });
    const wanted = selectiveScanRef(scan);
    let state: HostTensor = scan.initialState as HostTensor;
    for (let t = 0; t < 7; t++) {
      const step = selectiveStateUpdateRef({
        state,
        x: at(scan.u, t),
        dt: at(scan.delta, t),
        A: scan.A,
        B: at(scan.B, t),
        C: at(scan.C, t),
        D: scan.D,
        z: at(scan.z as HostTensor, t),
        dtBias: scan.deltaBias,
        dtSoftplus: true,
      });
      expect(maxRelativeError(step.out, at(wanted.out, t))).toBeLessThan(1e-14);
      state = step.state;
    }
    expect(state.data).toEqual(wanted.lastState.data);
  });

  test('stepping with one number per head is SSD', () => {
    const ssd = randomSsdInputs({ seqLen: 7, dtLimit: [0.1, 0.9] });
    const wanted = ssdRecurrentRef(ssd);
    let state: HostTensor = ssd.initialStates as HostTensor;
    for (let t = 0; t < 7; t++) {
      const step = selectiveStateUpdateRef({
        ...ssd,
        state,
        x: at(ssd.x, t),
        dt: at(ssd.dt, t),
        B: at(ssd.B, t),
        C: at(ssd.C, t),
        z: at(ssd.z as HostTensor, t),
      });
      expect(maxRelativeError(step.out, at(wanted.out, t))).toBeLessThan(1e-14);
      state = step.state;
    }
    expect(maxRelativeError(state, wanted.finalStates)).toBeLessThan(1e-14);
  });

  test('tied parameters are full ones with equal entries', () => {
    const tied = randomUpdateInputs({ nHeads: 4, tied: true });
    const repeat = (tensor: HostTensor | undefined, times: number, shape: number[]) => ({
      data: Float64Array.from(
        { length: (tensor as HostTensor).data.length * times },
        (_, i) => (tensor as HostTensor).data[Math.floor(i / times)] as number,
      ),
      shape,
    });
    const full = {
      ...tied,
      dt: repeat(tied.dt, 2, [3, 4, 2]),
      A: repeat(tied.A, 8, [4, 2, 4]),
      D: repeat(tied.D, 2, [4, 2]),
      dtBias: repeat(tied.dtBias, 2, [4, 2]),
    };
    expect(selectiveStateUpdateRef(full)).toEqual(selectiveStateUpdateRef(tied));
  });

  test('one B for all channels may leave out its group axis', () => {
    const grouped = randomUpdateInputs({ nGroups: 1 });
    const flat = { ...grouped, B: { ...grouped.B, shape: [3, 4] }, C: { ...grouped.C, shape: [3, 4] } };
    expect(selectiveStateUpdateRef(flat)).toEqual(selectiveStateUpdateRef(grouped));
  });

  test('indices choose rows; padding gives 0 and changes no state', () => {
    const inputs = randomUpdateInputs({ nHeads: 2 });
    const state = randomSource(5).normal([5, 2, 2, 4]);
    const stateBatchIndices = toIndexTensor([4, -1, 0]);
    const { out, state: after } = selectiveStateUpdateRef({ ...inputs, state, stateBatchIndices });
    const gathered = {
      data: Float64Array.from([4, 1, 0].flatMap((row) => [...sliced(state, 0, row, row + 1).data])),
      shape: [3, 2, 2, 4],
    };
    const direct = selectiveStateUpdateRef({ ...inputs, state: gathered });
    expect(sliced(out, 0, 0, 1).data).toEqual(sliced(direct.out, 0, 0, 1).data);
    expect(sliced(out, 0, 1, 2).data.every((value) => value === 0)).toBe(true);
    expect(sliced(out, 0, 2, 3).data).toEqual(sliced(direct.out, 0, 2, 3).data);
    expect(sliced(after, 0, 4, 5).data).toEqual(sliced(direct.state, 0, 0, 1).data);
    expect(sliced(after, 0, 1, 4).data).toEqual(sliced(state, 0, 1, 4).data);
  });

  test('extreme steps stay finite', () => {
    const inputs = randomUpdateInputs({});
    inputs.dt.data.set([-1e4, -750, -40, 19.999, 20.001, 1e4]);
    const { out, state } = selectiveStateUpdateRef(inputs);
    expect([...out.data, ...state.data].every(Number.isFinite)).toBe(true);
  });
});
