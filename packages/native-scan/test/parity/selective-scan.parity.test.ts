import {
  type SelectiveScanInputs,
  selectiveScanBackwardRef,
  selectiveScanRef,
  type TensorLike,
} from '@statespace/ssd-core';
import {
  goldenCases,
  type RandomScanOptions,
  randomScanInputs,
  randomSource,
  selectiveScanCase,
} from '@statespace/ssd-core/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { selectiveScan, selectiveScanBackward } from '../../src/index.js';
import { describeNative, inFloat32, insideWider, viewed, worstError } from '../support.js';

/** float32 against float64: design.md's tolerance of this family. */
const tolerance = 3e-6;

function compare(inputs: SelectiveScanInputs, upstream: ReturnType<typeof upstreamOf>, limit = tolerance) {
  const wanted = { ...selectiveScanRef(inputs), ...selectiveScanBackwardRef({ ...inputs, ...upstream }) };
  const narrow = inFloat32(inputs);
  const results = {
    ...selectiveScan({ ...narrow, backend: 'cpu', returnLastState: true }),
    ...selectiveScanBackward({ ...narrow, ...inFloat32(upstream), backend: 'cpu' }),
  };
  const { name, error } = worstError(results, { ...wanted });
  expect(error, name).toBeLessThan(limit);
}

function upstreamOf(inputs: SelectiveScanInputs, seed = 99) {
  const source = randomSource(seed);
  const [dInner, dState] = inputs.A.shape as [number, number];
  const rows = inputs.cuSeqlens === undefined ? inputs.u.shape[0] : (inputs.cuSeqlens.shape[0] as number) - 1;
  return {
    gradOut: source.normal(inputs.u.shape),
    gradLastState: source.normal([rows as number, dInner, dState]),
  };
}

const title = ({ batch = 2, seqLen, dInner = 4, dState = 3, groupsB = 1, groupsC = 1 }: RandomScanOptions) =>
  `B${batch}-L${seqLen}-D${dInner}-N${dState}-G${groupsB}${groupsC}-f32`;

describeNative('selectiveScan on cpu', () => {
  const sizes: RandomScanOptions[] = [
    ...[0, 1, 2, 3, 15, 16, 17, 31, 33, 127, 129].map((seqLen) => ({ seqLen })),
    ...[1, 2, 5, 16, 17, 31, 48, 65].map((dInner) => ({ seqLen: 19, dInner })),
    ...[1, 2, 4, 8, 15, 16, 17, 32, 64, 128, 256].map((dState) => ({ seqLen: 7, dInner: 3, dState })),
    { seqLen: 21, dInner: 6, groupsB: 2, groupsC: 3 },
    { seqLen: 21, dInner: 34, dState: 16, groupsB: 2, groupsC: 2 },
    { seqLen: 21, groupsB: 0, groupsC: 1 },
    { seqLen: 21, groupsB: 1, groupsC: 0 },
    { seqLen: 21, groupsB: 0, groupsC: 0 },
    { seqLen: 11, batch: 0 },
    { seqLen: 11, batch: 7, dInner: 9 },
    { seqLen: 40, dInner: 20, dState: 16, bare: true },
  ];
  test.each(sizes.map((options) => [title(options), options] as const))('%s', (_, options) => {
    const inputs = randomScanInputs(options);
    compare(inputs, upstreamOf(inputs));
  });

  test('packed sequences, empty ones too', () => {
    const inputs = randomScanInputs({ batch: 1, seqLen: 50, dInner: 18, cuSeqlens: [0, 0, 17, 18, 18, 50] });
    compare(inputs, upstreamOf(inputs));
  });

  test('strided inputs give the same bits as contiguous ones', () => {
    const inputs = inFloat32(randomScanInputs({ seqLen: 23, dInner: 20, dState: 16, groupsB: 2 }));
    const wanted = selectiveScan({ ...inputs, backend: 'cpu', returnLastState: true });
    const got = selectiveScan({ ...viewed(inputs, insideWider), backend: 'cpu', returnLastState: true });
    expect(got.out.data).toEqual(wanted.out.data);
    expect(got.lastState?.data).toEqual(wanted.lastState?.data);
  });

  test('random sizes and options', () => {
    const options = fc.record({
      batch: fc.integer({ min: 1, max: 3 }),
      seqLen: fc.integer({ min: 0, max: 70 }),
      dInner: fc.integer({ min: 1, max: 6 }).map((half) => 6 * half),
      dState: fc.integer({ min: 1, max: 20 }),
      groupsB: fc.constantFrom(0, 1, 2, 3),
      groupsC: fc.constantFrom(0, 1, 2, 6),
      bare: fc.boolean(),
      seed: fc.integer({ min: 1, max: 1e6 }),
    });
    fc.assert(
      fc.property(options, (drawn) => {
        const inputs = randomScanInputs(drawn);
        compare(inputs, upstreamOf(inputs, drawn.seed + 1));
      }),
      { numRuns: 60 },
    );
  });
});

describeNative('checkpoints on cpu', () => {
  const plain = randomScanInputs({ seqLen: 49, dInner: 20, dState: 5 });
  const forms: Record<string, SelectiveScanInputs> = {
    plain,
    'a multiple of 16': randomScanInputs({ seqLen: 32, dInner: 17, dState: 16 }),
    reverse: { ...plain, reverse: true },
    lengths: { ...plain, lengths: { data: Int32Array.of(17, 33), shape: [2] } },
    packed: randomScanInputs({ batch: 1, seqLen: 50, dInner: 18, cuSeqlens: [0, 0, 17, 18, 18, 50] }),
    'packed, reverse': {
      ...randomScanInputs({ batch: 1, seqLen: 50, dInner: 18, cuSeqlens: [0, 0, 17, 18, 18, 50] }),
      reverse: true,
    },
  };

  test.each(Object.entries(forms))('%s: the states of the oracle, and the same gradients', (_, inputs) => {
    const narrow = { ...inFloat32(inputs), backend: 'cpu' as const };
    const { out, checkpoints } = selectiveScan({ ...narrow, returnCheckpoints: true });
    expect(out.data).toEqual(selectiveScan(narrow).out.data);
    const wanted = selectiveScanRef(inputs, { withCheckpoints: true }).checkpoints;
    expect(checkpoints?.shape).toEqual(wanted?.shape);
    expect(worstError({ checkpoints }, { checkpoints: wanted }).error).toBeLessThan(tolerance);
    const call = { ...narrow, ...inFloat32(upstreamOf(inputs)) };
    expect(selectiveScanBackward({ ...call, checkpoints })).toEqual(selectiveScanBackward(call));
  });

  test('are what the backward pass starts from', () => {
    const call = { ...inFloat32(plain), ...inFloat32(upstreamOf(plain)), backend: 'cpu' as const };
    const { checkpoints } = selectiveScan({ ...inFloat32(plain), backend: 'cpu', returnCheckpoints: true });
    const doubled = {
      ...checkpoints,
      data: Float32Array.from(checkpoints?.data ?? [], (value) => 2 * value),
    };
    const { gradC } = selectiveScanBackward({ ...call, checkpoints: doubled as TensorLike });
    expect(gradC?.data).not.toEqual(selectiveScanBackward(call).gradC?.data);
  });

  test('are refused in a wrong shape, for float64, for complex A and with seqIdx', () => {
    const narrow = { ...inFloat32(plain), backend: 'cpu' as const };
    const short = { data: new Float32Array(7 * 5 * 20), shape: [7, 5, 20] };
    expect(() => selectiveScan({ ...narrow, checkpoints: short })).toThrow(
      /checkpoints: expected \(R, N, D\) = \(8, 5, 20\)/,
    );
    expect(() => selectiveScan({ ...plain, backend: 'cpu', returnCheckpoints: true })).toThrow(/float64/);
    const seqIdx = { data: new Int32Array(98), shape: [2, 49] };
    expect(() => selectiveScan({ ...narrow, seqIdx, returnCheckpoints: true })).toThrow(
      /no seqIdx, got seqIdx/,
    );
    const complex = inFloat32(randomScanInputs({ seqLen: 5, complex: true }));
    expect(() => selectiveScan({ ...complex, returnCheckpoints: true })).toThrow(/real A/);
  });
});

describeNative('golden numbers in float32', () => {
  const real = goldenCases('selective-scan', test.skip).filter(({ params }) => params.complex !== true);
  describe.each(real)('$name', (golden) => {
    test('forward, last state and gradients', () => {
      const { inputs, upstream, expected } = selectiveScanCase(golden);
      const narrow = inFloat32(inputs);
      const results: Record<string, { data: ArrayLike<number> } | undefined> = {
        ...selectiveScan({ ...narrow, backend: 'cpu', returnLastState: true }),
        ...selectiveScanBackward({ ...narrow, ...inFloat32(upstream), backend: 'cpu' }),
      };
      const compared = Object.fromEntries(Object.keys(expected).map((name) => [name, results[name]]));
      for (const [name, result] of Object.entries(compared)) expect(result, name).toBeDefined();
      const { name, error } = worstError(compared, expected);
      expect(error, name).toBeLessThan(tolerance);
    });
  });
});
