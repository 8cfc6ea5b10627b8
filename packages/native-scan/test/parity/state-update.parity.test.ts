import {
  type CausalConv1dUpdateInputs,
  causalConv1dUpdateRef,
  type SelectiveStateUpdateInputs,
  selectiveStateUpdateRef,
  type TensorLike,
} from '@statespace/ssd-core';
import {
  causalConv1dUpdateCase,
  goldenCases,
  maxRelativeError,
  type RandomUpdateOptions,
  randomSource,
  randomUpdateInputs,
  selectiveStateUpdateSteps,
  toIndexTensor,
} from '@statespace/ssd-core/testing';
import { expect, test } from 'vitest';
import { causalConv1dUpdate, selectiveStateUpdate } from '../../src/index.js';
import { describeNative, inFloat32, insideWider, viewed, worstError } from '../support.js';

/** float32 against float64: design.md's tolerance of this family. */
const tolerance = 1e-6;

function compareUpdate(inputs: SelectiveStateUpdateInputs) {
  const wanted = selectiveStateUpdateRef(inputs);
  const narrow = inFloat32(inputs);
  const { out } = selectiveStateUpdate({ ...narrow, backend: 'cpu' });
  const { name, error } = worstError({ out, state: narrow.state as { data: Float32Array } }, { ...wanted });
  expect(error, name).toBeLessThan(tolerance);
}

function compareConvUpdate(inputs: CausalConv1dUpdateInputs) {
  const wanted = causalConv1dUpdateRef(inputs);
  const narrow = inFloat32(inputs);
  const { out } = causalConv1dUpdate({ ...narrow, backend: 'cpu' });
  const results = { out, convState: narrow.convState as { data: Float32Array } };
  const { name, error } = worstError(results, { ...wanted });
  expect(error, name).toBeLessThan(2e-6);
}

describeNative('selectiveStateUpdate on cpu', () => {
  const sizes: RandomUpdateOptions[] = [
    ...[1, 2, 3, 7, 16].map((batch) => ({ batch })),
    ...[2, 16, 34, 100].map((dInner) => ({ dInner })),
    ...[1, 3, 8, 15, 16, 17, 64, 128, 300].map((dState) => ({ dState })),
    { nHeads: 4, headDim: 3, tied: true },
    { nHeads: 4, headDim: 3, tied: false },
    { nHeads: 6, headDim: 64, dState: 128, nGroups: 3, tied: true },
  ];
  test.each(sizes.map((options) => [JSON.stringify(options), options] as const))('%s', (_, options) => {
    compareUpdate(randomUpdateInputs(options));
  });

  test('rows chosen by index, padding gives 0 and leaves the state alone', () => {
    const inputs = randomUpdateInputs({ batch: 4, dInner: 6, dState: 5 });
    const state = randomSource(5).normal([7, 6, 5]);
    compareUpdate({ ...inputs, state, stateBatchIndices: toIndexTensor([6, -1, 0, 3]) });
  });

  test('clamped steps', () => {
    compareUpdate({ ...randomUpdateInputs({ nHeads: 4, tied: true }), dtLimit: [0.1, 0.5] });
  });

  test('strided inputs', () => {
    const inputs = inFloat32(randomUpdateInputs({ nHeads: 4, headDim: 5 }));
    const fresh = () => ({ ...inputs.state, data: (inputs.state.data as unknown as Float32Array).slice() });
    const wanted = selectiveStateUpdate({ ...inputs, state: fresh(), backend: 'cpu' });
    const got = selectiveStateUpdate({ ...viewed(inputs, insideWider), state: fresh(), backend: 'cpu' });
    expect(got.out.data).toEqual(wanted.out.data);
  });

  const golden = goldenCases('selective-state-update', test.skip);
  test.each(golden)('golden $name', (one) => {
    const { state, steps, expectedOut, expectedState } = selectiveStateUpdateSteps(one);
    const running = inFloat32({ state }).state as unknown as TensorLike & { data: Float32Array };
    steps.forEach((step, index) => {
      const { out } = selectiveStateUpdate({ ...inFloat32(step), state: running, backend: 'cpu' });
      const wanted = expectedOut[index] as { data: Float64Array };
      expect(maxRelativeError(out, wanted), `step ${index}`).toBeLessThan(tolerance);
    });
    expect(maxRelativeError(running, expectedState)).toBeLessThan(tolerance);
  });
});

describeNative('causalConv1dUpdate on cpu', () => {
  const inputsOf = (batch: number, dim: number, width: number, stateLen: number, seqLen?: number) => {
    const source = randomSource(batch * 100 + dim);
    return {
      x: source.normal(seqLen === undefined ? [batch, dim] : [batch, seqLen, dim]),
      convState: source.normal([batch, dim, stateLen]),
      weight: source.normal([dim, width], 0.5),
      bias: source.normal([dim]),
      activation: 'silu' as const,
    };
  };
  test.each([
    [1, 1, 2, 1, undefined],
    [2, 17, 4, 3, undefined],
    [3, 33, 4, 4, undefined],
    [2, 16, 3, 9, 5],
    [2, 5, 4, 3, 1],
    [2, 5, 4, 3, 0],
    [0, 5, 4, 3, 2],
    [2, 40, 4, 3, 11],
  ])('B%i-D%i-W%i-S%i-L%s', (batch, dim, width, stateLen, seqLen) => {
    compareConvUpdate(inputsOf(batch, dim, width, stateLen, seqLen));
  });

  test('ring buffers and chosen rows', () => {
    const inputs = inputsOf(3, 20, 4, 6, 4);
    compareConvUpdate({ ...inputs, cacheSeqlens: toIndexTensor([0, 5, 1_000_003]) });
    const convState = randomSource(8).normal([5, 20, 6]);
    compareConvUpdate({ ...inputs, convState, convStateIndices: toIndexTensor([4, -1, 0]) });
  });

  const golden = goldenCases('causal-conv1d', test.skip).filter(({ params }) => params.kind === 'update');
  test.each(golden)('golden $name', (one) => {
    const { inputs, expected } = causalConv1dUpdateCase(one);
    const narrow = inFloat32(inputs);
    const { out } = causalConv1dUpdate({ ...narrow, backend: 'cpu' });
    const { name, error } = worstError(
      { out, convState: narrow.convState as { data: Float32Array } },
      expected,
    );
    expect(error, name).toBeLessThan(2e-6);
  });
});
