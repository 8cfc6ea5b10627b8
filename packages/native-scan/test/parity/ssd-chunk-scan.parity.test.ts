import { type SsdChunkScanInputs, ssdChunkScanBackwardRef, ssdChunkScanRef } from '@statespace/ssd-core';
import {
  goldenCases,
  type RandomSsdOptions,
  randomSource,
  randomSsdInputs,
  ssdCase,
} from '@statespace/ssd-core/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ssdChunkScan, ssdChunkScanBackward } from '../../src/index.js';
import { describeNative, inFloat32, insideWider, viewed, worstError } from '../support.js';

/** float32 against float64: design.md's tolerance of this family. */
const tolerance = 1.6e-5;

function compare(inputs: SsdChunkScanInputs, seed = 99) {
  const source = randomSource(seed);
  const [batch, , nHeads, headDim] = inputs.x.shape as [number, number, number, number];
  const dState = inputs.B.shape[3] as number;
  const rows = inputs.cuSeqlens === undefined ? batch : (inputs.cuSeqlens.shape[0] as number) - 1;
  const upstream = {
    gradOut: source.normal(inputs.x.shape),
    gradFinalStates: source.normal([rows, nHeads, headDim, dState]),
  };
  const wanted = { ...ssdChunkScanRef(inputs), ...ssdChunkScanBackwardRef({ ...inputs, ...upstream }) };
  const narrow = inFloat32(inputs);
  const results = {
    ...ssdChunkScan({ ...narrow, backend: 'cpu', returnFinalStates: true }),
    ...ssdChunkScanBackward({ ...narrow, ...inFloat32(upstream), backend: 'cpu' }),
  };
  const { name, error } = worstError(results, { ...wanted });
  expect(error, name).toBeLessThan(tolerance);
}

const title = (options: RandomSsdOptions) => {
  const { batch = 2, seqLen, nHeads = 4, headDim = 3, dState = 5, nGroups = 2, chunkSize = 64 } = options;
  return `B${batch}-L${seqLen}-H${nHeads}-P${headDim}-N${dState}-G${nGroups}-Q${chunkSize}-f32`;
};

describeNative('ssdChunkScan on cpu', () => {
  const sizes: RandomSsdOptions[] = [
    ...[0, 1, 2, 15, 16, 17, 31, 63, 64, 65, 129].map((seqLen) => ({ seqLen })),
    ...[1, 2, 7, 16, 33, 200].map((chunkSize) => ({ seqLen: 37, chunkSize })),
    ...[1, 4, 15, 16, 17, 64].map((headDim) => ({ seqLen: 21, nHeads: 2, headDim })),
    ...[1, 4, 15, 16, 17, 64, 128].map((dState) => ({ seqLen: 21, nHeads: 2, dState })),
    { seqLen: 37, nHeads: 6, nGroups: 3, skipPerChannel: true },
    { seqLen: 37, nHeads: 3, nGroups: 1, dtLimit: [0.2, 0.9] },
    { seqLen: 9, batch: 0 },
    { seqLen: 40, headDim: 16, dState: 16, bare: true },
  ];
  test.each(sizes.map((options) => [title(options), options] as const))('%s', (_, options) => {
    compare(randomSsdInputs(options));
  });

  test('packed sequences, empty ones too', () => {
    compare(randomSsdInputs({ batch: 1, seqLen: 50, chunkSize: 8, cuSeqlens: [0, 0, 17, 18, 18, 50] }));
  });

  test('strided inputs give the same bits as contiguous ones', () => {
    const inputs = inFloat32(randomSsdInputs({ seqLen: 23, headDim: 16 }));
    const wanted = ssdChunkScan({ ...inputs, backend: 'cpu' });
    expect(ssdChunkScan({ ...viewed(inputs, insideWider), backend: 'cpu' }).out.data).toEqual(
      wanted.out.data,
    );
  });

  test('random sizes and options', () => {
    const options = fc.record({
      batch: fc.integer({ min: 1, max: 2 }),
      seqLen: fc.integer({ min: 0, max: 50 }),
      nHeads: fc.constantFrom(2, 4, 6),
      headDim: fc.integer({ min: 1, max: 20 }),
      dState: fc.integer({ min: 1, max: 20 }),
      nGroups: fc.constantFrom(1, 2),
      chunkSize: fc.integer({ min: 1, max: 40 }),
      skipPerChannel: fc.boolean(),
      bare: fc.boolean(),
      seed: fc.integer({ min: 1, max: 1e6 }),
    });
    fc.assert(
      fc.property(options, (drawn) => compare(randomSsdInputs(drawn), drawn.seed + 1)),
      { numRuns: 50 },
    );
  });
});

describeNative('golden numbers in float32', () => {
  const cases = goldenCases('ssd', test.skip).filter(({ params }) => params.method !== 'core');
  describe.each(cases)('$name', (golden) => {
    test.each(golden.params.chunk_sizes_to_try as number[])('chunks of %i', (chunkSize) => {
      const { inputs, upstream, expected } = ssdCase(golden);
      const narrow = inFloat32({ ...inputs, chunkSize });
      const results: Record<string, { data: ArrayLike<number> } | undefined> = {
        ...ssdChunkScan({ ...narrow, backend: 'cpu', returnFinalStates: true }),
        ...ssdChunkScanBackward({ ...narrow, ...inFloat32(upstream), backend: 'cpu' }),
      };
      const compared = Object.fromEntries(Object.keys(expected).map((name) => [name, results[name]]));
      for (const [name, result] of Object.entries(compared)) expect(result, name).toBeDefined();
      const { name, error } = worstError(compared, expected);
      expect(error, name).toBeLessThan(tolerance);
    });
  });
});
