import { type CausalConv1dInputs, causalConv1dBackwardRef, causalConv1dRef } from '@statespace/ssd-core';
import {
  causalConv1dCase,
  goldenCases,
  type RandomConvOptions,
  randomConvInputs,
  randomSource,
} from '@statespace/ssd-core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { causalConv1d, causalConv1dBackward } from '../../src/index.js';
import { describeNative, inFloat32, insideWider, worstError } from '../support.js';

/** float32 against float64: design.md's tolerance of this family. */
const tolerance = 2e-6;

function compare(inputs: CausalConv1dInputs, seed = 99) {
  const source = randomSource(seed);
  const [dim, width] = inputs.weight.shape as [number, number];
  const rows = inputs.cuSeqlens === undefined ? inputs.x.shape[0] : (inputs.cuSeqlens.shape[0] as number) - 1;
  const upstream = {
    gradOut: source.normal(inputs.x.shape),
    gradFinalStates: source.normal([rows as number, dim, width - 1]),
  };
  const wanted = { ...causalConv1dRef(inputs), ...causalConv1dBackwardRef({ ...inputs, ...upstream }) };
  const narrow = inFloat32(inputs);
  const results = {
    ...causalConv1d({ ...narrow, backend: 'cpu', returnFinalStates: true }),
    ...causalConv1dBackward({ ...narrow, ...inFloat32(upstream), backend: 'cpu' }),
  };
  const { name, error } = worstError(results, { ...wanted });
  expect(error, name).toBeLessThan(tolerance);
}

const title = ({ batch = 2, seqLen, dim = 3, width = 4, activation = 'silu' }: RandomConvOptions) =>
  `B${batch}-L${seqLen}-D${dim}-W${width}-${activation}-f32`;

describeNative('causalConv1d on cpu', () => {
  const sizes: RandomConvOptions[] = [
    ...[0, 1, 2, 3, 4, 5, 31, 33, 129].map((seqLen) => ({ seqLen })),
    ...[1, 2, 15, 16, 17, 33, 64, 100].map((dim) => ({ seqLen: 13, dim })),
    ...[2, 3, 4, 5, 7, 16].map((width) => ({ seqLen: 13, dim: 17, width })),
    { seqLen: 20, dim: 40, activation: 'none' },
    { seqLen: 20, dim: 40, activation: 'none', bare: true },
    { seqLen: 9, batch: 0 },
    { seqLen: 9, batch: 5, dim: 1, bare: true },
  ];
  test.each(sizes.map((options) => [title(options), options] as const))('%s', (_, options) => {
    compare(randomConvInputs(options));
  });

  test('packed sequences, shorter than the width and empty ones too', () => {
    compare(randomConvInputs({ batch: 1, seqLen: 40, dim: 18, cuSeqlens: [0, 2, 2, 3, 20, 40] }));
  });

  test('strided inputs give the same bits as contiguous ones', () => {
    const inputs = inFloat32(randomConvInputs({ seqLen: 23, dim: 20 }));
    const wanted = causalConv1d({ ...inputs, backend: 'cpu' });
    const got = causalConv1d({
      ...inputs,
      x: insideWider(inputs.x),
      weight: insideWider(inputs.weight),
      backend: 'cpu',
    });
    expect(got.out.data).toEqual(wanted.out.data);
  });

  test('random sizes and options', () => {
    const options = fc.record({
      batch: fc.integer({ min: 1, max: 3 }),
      seqLen: fc.integer({ min: 0, max: 60 }),
      dim: fc.integer({ min: 1, max: 40 }),
      width: fc.integer({ min: 2, max: 6 }),
      activation: fc.constantFrom('none' as const, 'silu' as const),
      bare: fc.boolean(),
      seed: fc.integer({ min: 1, max: 1e6 }),
    });
    fc.assert(
      fc.property(options, (drawn) => compare(randomConvInputs(drawn), drawn.seed + 1)),
      { numRuns: 60 },
    );
  });
});

describeNative('golden numbers in float32', () => {
  const kinds = ['forward', 'packed'];
  const cases = goldenCases('causal-conv1d', test.skip).filter(({ params }) =>
    kinds.includes(params.kind as string),
  );
  test.each(cases)('$name', (golden) => {
    const { inputs, upstream, expected } = causalConv1dCase(golden);
    const narrow = inFloat32(inputs);
    const results: Record<string, { data: ArrayLike<number> } | undefined> = {
      ...causalConv1d({ ...narrow, backend: 'cpu', returnFinalStates: true }),
      ...causalConv1dBackward({ ...narrow, ...inFloat32(upstream), backend: 'cpu' }),
    };
    const compared = Object.fromEntries(Object.keys(expected).map((name) => [name, results[name]]));
    for (const [name, result] of Object.entries(compared)) expect(result, name).toBeDefined();
    const { name, error } = worstError(compared, expected);
    expect(error, name).toBeLessThan(tolerance);
  });
});
