import { describe, expect, test } from 'vitest';
import {
  causalConv1dCase,
  concatenated,
  errorsAgainst,
  type GoldenCase,
  goldenCases,
  goldenTensor,
  hostTensor,
  loadFixture,
  maxRelativeError,
  permuted,
  randomConvInputs,
  randomSource,
  reshaped,
  sliced,
  toIndexTensor,
  worst,
} from '../../testing/index.js';
import { causalConv1dRef } from './causal-conv1d.js';
import { causalConv1dBackwardRef } from './causal-conv1d-backward.js';

/** The golden README's tolerance for this family. */
const tolerance = 1e-13;

function checkCase(golden: GoldenCase): void {
  const { inputs, upstream, expected } = causalConv1dCase(golden);
  const results = { ...causalConv1dRef(inputs), ...causalConv1dBackwardRef({ ...inputs, ...upstream }) };
  expect(worst(errorsAgainst(results, expected))).toBeLessThan(tolerance);
}

/** Final states of packed tokens (T, D), for any state length: those of a convolution of that width. */
function checkVarlenStates(golden: GoldenCase): void {
  const x = goldenTensor(golden.inputs, 'x');
  const states = goldenTensor(golden.outputs, 'states');
  const [tokens, dim] = x.shape as [number, number];
  const width = (golden.params.state_len as number) + 1;
  const { finalStates } = causalConv1dRef({
    x: reshaped(x, [1, tokens, dim]),
    weight: hostTensor(new Float64Array(dim * width), [dim, width]),
    cuSeqlens: toIndexTensor(golden.params.cu_seqlens as number[]),
  });
  expect(finalStates.shape).toEqual(states.shape);
  expect(finalStates.data).toEqual(states.data);
}

describe('golden numbers', () => {
  const ofKind = (cases: readonly GoldenCase[], ...kinds: string[]) =>
    cases.filter(({ params }) => kinds.includes(params.kind as string));
  const fixture = loadFixture(new URL('../../../fixtures/causal-conv1d.json', import.meta.url));
  test.each(ofKind(fixture.cases, 'forward', 'packed'))('fixture $name', checkCase);
  const golden = goldenCases('causal-conv1d', test.skip);
  test.each(ofKind(golden, 'forward', 'packed'))('$name', checkCase);
  test.each(ofKind(golden, 'varlen_states'))('$name', checkVarlenStates);
});

test('the example of the documentation', () => {
  const x = hostTensor([1, 2, 3], [1, 3, 1]);
  const weight = hostTensor([10, 1], [1, 2]);
  expect(causalConv1dRef({ x, weight }).out.data).toEqual(Float64Array.of(1, 12, 23));
});

describe('laws', () => {
  test.each([2, 3, 4, 7])('width %i: a unit weight on the last tap copies, on the first delays', (width) => {
    const { x } = randomConvInputs({ seqLen: 11, bare: true });
    const unit = (tap: number) => {
      const weight = hostTensor(new Float64Array(3 * width), [3, width]);
      for (let d = 0; d < 3; d++) weight.data[d * width + tap] = 1;
      return weight;
    };
    expect(causalConv1dRef({ x, weight: unit(width - 1) }).out.data).toEqual(x.data);
    const delayed = causalConv1dRef({ x, weight: unit(0) }).out;
    const zeros = hostTensor(new Float64Array(2 * (width - 1) * 3), [2, width - 1, 3]);
    expect(delayed.data).toEqual(concatenated([zeros, sliced(x, 1, 0, 11 - (width - 1))], 1).data);
  });

  test('the final state is the end of [initial state, x], also of short sequences', () => {
    for (const seqLen of [0, 1, 2, 3, 5]) {
      const inputs = randomConvInputs({ seqLen });
      const line = concatenated([inputs.initialStates!, permuted(inputs.x, [0, 2, 1])], 2);
      const { finalStates } = causalConv1dRef(inputs);
      expect(finalStates.data).toEqual(sliced(line, 2, seqLen, seqLen + 3).data);
    }
  });

  test('a split hands its state over', () => {
    const whole = randomConvInputs({ seqLen: 9, width: 5 });
    const gradOut = randomSource(3).normal(whole.x.shape);
    const gradFinalStates = randomSource(4).normal(whole.initialStates!.shape);
    const forward = causalConv1dRef(whole);
    const backward = causalConv1dBackwardRef({ ...whole, gradOut, gradFinalStates });
    for (const at of [0, 1, 4, 9]) {
      const start = { ...whole, x: sliced(whole.x, 1, 0, at) };
      const first = causalConv1dRef(start);
      const rest = { ...whole, x: sliced(whole.x, 1, at, 9), initialStates: first.finalStates };
      const second = causalConv1dRef(rest);
      expect(concatenated([first.out, second.out], 1).data).toEqual(forward.out.data);
      expect(second.finalStates.data).toEqual(forward.finalStates.data);
      const gradRest = causalConv1dBackwardRef({
        ...rest,
        gradOut: sliced(gradOut, 1, at, 9),
        gradFinalStates,
      });
      const gradFirst = causalConv1dBackwardRef({
        ...start,
        gradOut: sliced(gradOut, 1, 0, at),
        gradFinalStates: gradRest.gradInitialStates,
      });
      const gradX = concatenated([gradFirst.gradX, gradRest.gradX], 1);
      expect(maxRelativeError(gradX, backward.gradX)).toBeLessThan(1e-14);
      expect(maxRelativeError(gradFirst.gradInitialStates, backward.gradInitialStates)).toBeLessThan(1e-14);
    }
  });

  test('packed sequences are separate sequences', () => {
    const bounds = [0, 1, 1, 3, 12];
    const packed = randomConvInputs({ batch: 1, seqLen: 12, cuSeqlens: bounds });
    const gradOut = randomSource(3).normal(packed.x.shape);
    const gradFinalStates = randomSource(4).normal(packed.initialStates!.shape);
    const together = {
      ...causalConv1dRef(packed),
      ...causalConv1dBackwardRef({ ...packed, gradOut, gradFinalStates }),
    };
    const parts = bounds.slice(1).map((end, s) => {
      const start = bounds[s] as number;
      const { cuSeqlens: _, ...one } = packed;
      const inputs = {
        ...one,
        x: sliced(packed.x, 1, start, end),
        initialStates: sliced(packed.initialStates!, 0, s, s + 1),
      };
      const upstream = {
        gradOut: sliced(gradOut, 1, start, end),
        gradFinalStates: sliced(gradFinalStates, 0, s, s + 1),
      };
      return { ...causalConv1dRef(inputs), ...causalConv1dBackwardRef({ ...inputs, ...upstream }) };
    });
    for (const name of ['out', 'gradX'] as const) {
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
});
