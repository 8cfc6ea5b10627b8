import { type DiagonalSsdInputs, diagonalSsdBackwardRef, diagonalSsdRef } from '@statespace/ssd-core';
import { type RandomSsdOptions, randomDiagonalSsdInputs, randomSource } from '@statespace/ssd-core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  diagonalSsd,
  diagonalSsdBackward,
  getNumThreads,
  ShapeError,
  setNumThreads,
} from '../../src/index.js';
import { describeNative, inFloat32, insideWider, viewed, worstError } from '../support.js';

/** float32 against float64: a recurrence, as the selective scan, and its tolerance. */
const tolerance = 3e-6;
/** Sums over all steps and channels, whose terms cancel. */
const sumTolerance = 1e-5;
const sums = ['gradA', 'gradD', 'gradDtBias'];

function compare(inputs: DiagonalSsdInputs, seed = 99) {
  const source = randomSource(seed);
  const [batch, , nHeads, headDim] = inputs.x.shape as [number, number, number, number];
  const dState = inputs.B.shape[3] as number;
  const rows = inputs.cuSeqlens === undefined ? batch : (inputs.cuSeqlens.shape[0] as number) - 1;
  const upstream = {
    gradOut: source.normal(inputs.x.shape),
    gradFinalStates: source.normal([rows, nHeads, headDim, dState]),
  };
  const wanted = { ...diagonalSsdRef(inputs), ...diagonalSsdBackwardRef({ ...inputs, ...upstream }) };
  const narrow = inFloat32(inputs);
  const results = {
    ...diagonalSsd({ ...narrow, backend: 'cpu', returnFinalStates: true }),
    ...diagonalSsdBackward({ ...narrow, ...inFloat32(upstream), backend: 'cpu' }),
  };
  for (const [name, result] of Object.entries(results)) {
    const { error } = worstError({ [name]: result }, { ...wanted });
    expect(error, name).toBeLessThan(sums.includes(name) ? sumTolerance : tolerance);
  }
}

const title = (options: RandomSsdOptions) => {
  const { batch = 2, seqLen, nHeads = 4, headDim = 3, dState = 5, nGroups = 2, chunkSize = 64 } = options;
  return `B${batch}-L${seqLen}-H${nHeads}-P${headDim}-N${dState}-G${nGroups}-Q${chunkSize}-f32`;
};

describeNative('diagonalSsd on cpu', () => {
  const sizes: RandomSsdOptions[] = [
    ...[0, 1, 2, 15, 16, 17, 31, 32, 33, 65, 129].map((seqLen) => ({ seqLen })),
    ...[1, 2, 7, 16, 33, 200].map((chunkSize) => ({ seqLen: 37, chunkSize })),
    ...[1, 4, 15, 16, 17, 33, 49, 64, 65].map((headDim) => ({ seqLen: 21, nHeads: 2, headDim })),
    ...[1, 4, 15, 16, 17, 64].map((dState) => ({ seqLen: 21, nHeads: 2, dState })),
    { seqLen: 37, nHeads: 6, nGroups: 3, skipPerChannel: true },
    { seqLen: 37, nHeads: 3, nGroups: 1, dtLimit: [0.2, 0.9] },
    { seqLen: 9, batch: 0 },
    { seqLen: 40, headDim: 16, dState: 16, bare: true },
  ];
  test.each(sizes.map((options) => [title(options), options] as const))('%s', (_, options) => {
    compare(randomDiagonalSsdInputs(options));
  });

  test('packed sequences, empty ones too', () => {
    compare(
      randomDiagonalSsdInputs({ batch: 1, seqLen: 50, chunkSize: 8, cuSeqlens: [0, 0, 17, 18, 18, 50] }),
    );
  });

  test('strided inputs give the same bits as contiguous ones', () => {
    const inputs = inFloat32(randomDiagonalSsdInputs({ seqLen: 23, headDim: 16 }));
    const wanted = diagonalSsd({ ...inputs, backend: 'cpu' });
    expect(diagonalSsd({ ...viewed(inputs, insideWider), backend: 'cpu' }).out.data).toEqual(wanted.out.data);
  });

  test('every number of threads gives the same bits', () => {
    const inputs = inFloat32(randomDiagonalSsdInputs({ seqLen: 70, headDim: 20 }));
    const gradOut = inputs.x;
    const before = getNumThreads();
    const run = (threads: number) => {
      setNumThreads(threads);
      const results = {
        ...diagonalSsd({ ...inputs, backend: 'cpu', returnFinalStates: true }),
        ...diagonalSsdBackward({ ...inputs, gradOut, backend: 'cpu' }),
      };
      setNumThreads(before);
      return results;
    };
    const wanted = run(1);
    for (const threads of [2, 5]) expect(run(threads)).toEqual(wanted);
  });

  test("'bdl' is (B, H, P, L)", () => {
    const inputs = inFloat32(randomDiagonalSsdInputs({ seqLen: 1, batch: 1, bare: true }));
    const last = ({ data, shape }: { data: unknown; shape: readonly number[] }) => ({
      data: data as Float32Array,
      shape: [shape[0] as number, ...shape.slice(2), 1],
    });
    const lengthLast = {
      ...inputs,
      x: last(inputs.x),
      dt: last(inputs.dt),
      B: last(inputs.B),
      C: last(inputs.C),
    };
    const { out } = diagonalSsd({ ...lengthLast, backend: 'cpu', layout: 'bdl' });
    expect(out.shape).toEqual([1, 4, 3, 1]);
    expect(out.data).toEqual(diagonalSsd({ ...inputs, backend: 'cpu' }).out.data);
  });

  test('one rate per head is refused, by name', () => {
    const inputs = inFloat32(randomDiagonalSsdInputs({ seqLen: 5 }));
    const A = { data: new Float32Array(4), shape: [4] };
    expect(() => diagonalSsd({ ...inputs, A })).toThrow(ShapeError);
    expect(() => diagonalSsd({ ...inputs, A })).toThrow(/diagonalSsd: A: expected \(H, N\)/);
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
      fc.property(options, (drawn) => compare(randomDiagonalSsdInputs(drawn), drawn.seed + 1)),
      { numRuns: 50 },
    );
  });
});
