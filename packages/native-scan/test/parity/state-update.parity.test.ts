import {
  type CausalConv1dUpdateInputs,
  causalConv1dUpdateRef,
  type SelectiveStateUpdateInputs,
  selectiveStateUpdateRef,
} from '@statespace/ssd-core';
import {
  causalConv1dUpdateCase,
  goldenCases,
  type HostTensor,
  maxRelativeError,
  type RandomUpdateOptions,
  randomSource,
  randomUpdateInputs,
  selectiveStateUpdateSteps,
  strided,
  toIndexTensor,
} from '@statespace/ssd-core/testing';
import { expect, test } from 'vitest';
import { causalConv1dUpdate, getNumThreads, selectiveStateUpdate, setNumThreads } from '../../src/index.js';
import { describeNative, inFloat32, worstError } from '../support.js';

/** A format of calls, with its largest errors against the reference. */
interface Format {
  readonly name: string;
  /** The tensors of a call in this format, in memory of their own. */
  readonly of: <T extends object>(inputs: T) => T;
  readonly update: number;
  readonly conv: number;
}

const formats: readonly Format[] = [
  // float32 against float64: design.md's tolerances of these families.
  { name: 'float32', of: inFloat32, update: 1e-6, conv: 2e-6 },
  // Sums in another order: the golden README's tolerance.
  { name: 'float64', of: inFloat64, update: 1e-13, conv: 1e-13 },
];

function inFloat64<T extends object>(inputs: T): T {
  const entries = Object.entries(inputs).map(([key, value]) =>
    value?.data instanceof Float64Array ? [key, { ...value, data: value.data.slice() }] : [key, value],
  );
  return Object.fromEntries(entries) as T;
}

function compareUpdate(format: Format, inputs: SelectiveStateUpdateInputs) {
  const wanted = selectiveStateUpdateRef(inputs);
  const given = format.of(inputs);
  const { out } = selectiveStateUpdate({ ...given, backend: 'cpu' });
  const { name, error } = worstError({ out, state: given.state as HostTensor }, { ...wanted });
  expect(error, name).toBeLessThan(format.update);
}

function compareConvUpdate(format: Format, inputs: CausalConv1dUpdateInputs) {
  const wanted = causalConv1dUpdateRef(inputs);
  const given = format.of(inputs);
  const { out } = causalConv1dUpdate({ ...given, backend: 'cpu' });
  const { name, error } = worstError({ out, convState: given.convState as HostTensor }, { ...wanted });
  expect(error, name).toBeLessThan(format.conv);
}

describeNative.each(formats)('selectiveStateUpdate on cpu in $name', (format) => {
  const sizes: RandomUpdateOptions[] = [
    ...[1, 2, 3, 7, 16].map((batch) => ({ batch })),
    ...[2, 16, 34, 100].map((dInner) => ({ dInner })),
    ...[1, 3, 8, 15, 16, 17, 64, 128, 300].map((dState) => ({ dState })),
    { nHeads: 4, headDim: 3, tied: true },
    { nHeads: 4, headDim: 3, tied: false },
    { nHeads: 6, headDim: 64, dState: 128, nGroups: 3, tied: true },
  ];
  test.each(sizes.map((options) => [JSON.stringify(options), options] as const))('%s', (_, options) => {
    compareUpdate(format, randomUpdateInputs(options));
  });

  test('rows chosen by index, padding gives 0 and leaves the state alone', () => {
    const inputs = randomUpdateInputs({ batch: 4, dInner: 6, dState: 5 });
    const state = randomSource(5).normal([7, 6, 5]);
    compareUpdate(format, { ...inputs, state, stateBatchIndices: toIndexTensor([6, -1, 0, 3]) });
  });

  test('clamped steps', () => {
    compareUpdate(format, { ...randomUpdateInputs({ nHeads: 4, tied: true }), dtLimit: [0.1, 0.5] });
  });

  test('strided inputs', () => {
    const inputs = randomUpdateInputs({ nHeads: 4, headDim: 5 });
    const wanted = selectiveStateUpdate({ ...format.of(inputs), backend: 'cpu' });
    const { state, ...rest } = format.of(inputs);
    const entries = Object.entries(rest).map(([name, value]) => {
      const tensor = typeof value === 'object' && 'data' in value;
      return [name, tensor ? strided(value) : value];
    });
    const got = selectiveStateUpdate({ ...Object.fromEntries(entries), state, backend: 'cpu' });
    expect(got.out.data).toEqual(wanted.out.data);
  });

  test('the same bits for 1, 2 and 5 threads', () => {
    const inputs = randomUpdateInputs({ batch: 3, dInner: 700, dState: 33 });
    const runs = withThreads(() => {
      const given = format.of(inputs);
      const { out } = selectiveStateUpdate({ ...given, backend: 'cpu' });
      return [Array.from(out.data), Array.from((given.state as HostTensor).data)];
    });
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).toEqual(runs[0]);
  });

  const golden = goldenCases('selective-state-update', test.skip);
  test.each(golden)('golden $name', (one) => {
    const { state, steps, expectedOut, expectedState } = selectiveStateUpdateSteps(one);
    const running = format.of({ state }).state as HostTensor;
    steps.forEach((step, index) => {
      const { out } = selectiveStateUpdate({ ...format.of(step), state: running, backend: 'cpu' });
      const wanted = expectedOut[index] as { data: Float64Array };
      expect(maxRelativeError(out, wanted), `step ${index}`).toBeLessThan(format.update);
    });
    expect(maxRelativeError(running, expectedState)).toBeLessThan(format.update);
  });
});

describeNative.each(formats)('causalConv1dUpdate on cpu in $name', (format) => {
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
    compareConvUpdate(format, inputsOf(batch, dim, width, stateLen, seqLen));
  });

  test('ring buffers and chosen rows', () => {
    const inputs = inputsOf(3, 20, 4, 6, 4);
    compareConvUpdate(format, { ...inputs, cacheSeqlens: toIndexTensor([0, 5, 1_000_003]) });
    const convState = randomSource(8).normal([5, 20, 6]);
    compareConvUpdate(format, { ...inputs, convState, convStateIndices: toIndexTensor([4, -1, 0]) });
  });

  const golden = goldenCases('causal-conv1d', test.skip).filter(({ params }) => params.kind === 'update');
  test.each(golden)('golden $name', (one) => {
    const { inputs, expected } = causalConv1dUpdateCase(one);
    const given = format.of(inputs);
    const { out } = causalConv1dUpdate({ ...given, backend: 'cpu' });
    const { name, error } = worstError({ out, convState: given.convState as HostTensor }, expected);
    expect(error, name).toBeLessThan(format.conv);
  });
});

describeNative('updates of mixed formats', () => {
  test('a float64 state widens a float32 step, whose output is rounded once', () => {
    const inputs = randomUpdateInputs({ batch: 2, dInner: 8, dState: 5 });
    const wanted = selectiveStateUpdateRef(inputs);
    const state = { ...inputs.state, data: inputs.state.data.slice() };
    const { out } = selectiveStateUpdate({ ...inFloat32(inputs), state, backend: 'cpu' });
    expect(out.data).toEqual(Float32Array.from(wanted.out.data));
    expect(maxRelativeError(state, wanted.state as HostTensor)).toBeLessThan(1e-13);
  });

  test('a float32 state beside float64 tensors takes the new state rounded', () => {
    const source = randomSource(3);
    const convState = { data: Float32Array.from(source.normal([2, 5, 3]).data), shape: [2, 5, 3] };
    const inputs = { x: source.normal([2, 5]), weight: source.normal([5, 4]) };
    const wanted = causalConv1dUpdateRef({ ...inputs, convState });
    const { out } = causalConv1dUpdate({ ...inputs, convState, backend: 'cpu' });
    expect(maxRelativeError(out, wanted.out as HostTensor)).toBeLessThan(1e-13);
    expect(convState.data).toEqual(Float32Array.from((wanted.convState as HostTensor).data));
  });
});

/** What `run` gives with 1, 2 and 5 threads. */
function withThreads<T>(run: () => T): T[] {
  const before = getNumThreads();
  const results = [1, 2, 5].map((threads) => {
    setNumThreads(threads);
    return run();
  });
  setNumThreads(before);
  return results;
}
