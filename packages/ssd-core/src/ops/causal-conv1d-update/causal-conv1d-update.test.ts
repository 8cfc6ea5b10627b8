import { describe, expect, test } from 'vitest';
import {
  causalConv1dUpdateCase,
  errorsAgainst,
  type GoldenCase,
  goldenCases,
  type HostTensor,
  hostTensor,
  loadFixture,
  randomConvInputs,
  randomSource,
  sliced,
  toIndexTensor,
  worst,
} from '../../testing/index.js';
import { causalConv1dRef } from '../causal-conv1d/causal-conv1d.js';
import { causalConv1dUpdateRef } from './causal-conv1d-update.js';

/** The golden README's tolerance for this family. */
const tolerance = 1e-13;

function checkCase(golden: GoldenCase): void {
  const { inputs, expected } = causalConv1dUpdateCase(golden);
  expect(worst(errorsAgainst({ ...causalConv1dUpdateRef(inputs) }, expected))).toBeLessThan(tolerance);
}

describe('golden numbers', () => {
  const updates = (cases: readonly GoldenCase[]) => cases.filter(({ params }) => params.kind === 'update');
  const fixture = loadFixture(new URL('../../../fixtures/causal-conv1d.json', import.meta.url));
  test.each(updates(fixture.cases))('fixture $name', checkCase);
  test.each(updates(goldenCases('causal-conv1d', test.skip)))('$name', checkCase);
});

describe('laws', () => {
  const { x, weight, bias } = randomConvInputs({ seqLen: 17 });
  const parallel = causalConv1dRef({ x, weight, bias, activation: 'silu' });
  const zeroState = (stateLen: number) => hostTensor(new Float64Array(2 * 3 * stateLen), [2, 3, stateLen]);

  /** Runs all steps, `stride` at a time, on a state of `stateLen` columns. */
  function stepThrough(stateLen: number, stride: number, ring: boolean): HostTensor[] {
    let convState: HostTensor = zeroState(stateLen);
    const outs: HostTensor[] = [];
    for (let t = 0; t < 17; t += stride) {
      const step = causalConv1dUpdateRef({
        x: sliced(x, 1, t, Math.min(t + stride, 17)),
        convState,
        weight,
        bias,
        activation: 'silu',
        ...(ring && { cacheSeqlens: toIndexTensor([t, t]) }),
      });
      convState = step.convState;
      outs.push(step.out);
    }
    return outs;
  }

  test.each([
    [3, 1, false],
    [4, 1, false],
    [5, 3, false],
    [3, 8, false],
    [3, 1, true],
    [6, 2, true],
    [4, 8, true],
  ])('state of %i columns, %i steps a call, ring %s: equal to the convolution', (stateLen, stride, ring) => {
    stepThrough(stateLen, stride, ring).forEach((out, i) => {
      const wanted = sliced(parallel.out, 1, i * stride, Math.min((i + 1) * stride, 17));
      expect(out.data).toEqual(wanted.data);
    });
  });

  test('a state of W-1 columns ends as the final state of the convolution', () => {
    const { convState } = causalConv1dUpdateRef({ x, convState: zeroState(3), weight });
    expect(convState.data).toEqual(parallel.finalStates.data);
  });

  test('one step may leave out its axis', () => {
    const step = { ...sliced(x, 1, 0, 1), shape: [2, 3] };
    const { out } = causalConv1dUpdateRef({
      x: step,
      convState: zeroState(3),
      weight,
      bias,
      activation: 'silu',
    });
    expect(out.shape).toEqual([2, 3]);
    expect(out.data).toEqual(sliced(parallel.out, 1, 0, 1).data);
  });

  test('indices choose rows; padding gives 0 and changes no state', () => {
    const convState = randomSource(5).normal([4, 3, 3]);
    const convStateIndices = toIndexTensor([2, -1]);
    const { out, convState: after } = causalConv1dUpdateRef({ x, convState, weight, convStateIndices });
    const alone = causalConv1dUpdateRef({
      x: sliced(x, 0, 0, 1),
      convState: sliced(convState, 0, 2, 3),
      weight,
    });
    expect(sliced(out, 0, 0, 1).data).toEqual(alone.out.data);
    expect(sliced(out, 0, 1, 2).data.every((value) => value === 0)).toBe(true);
    expect(sliced(after, 0, 2, 3).data).toEqual(alone.convState.data);
    for (const row of [0, 1, 3]) {
      expect(sliced(after, 0, row, row + 1).data).toEqual(sliced(convState, 0, row, row + 1).data);
    }
  });
});
