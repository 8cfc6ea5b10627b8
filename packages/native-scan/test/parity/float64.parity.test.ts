/** The native kernels in float64, and the complex selective scan, against the reference. */
import type { TensorLike } from '@statespace/ssd-core';
import {
  allResults,
  goldenCases,
  type HostTensor,
  maxRelativeError,
  type OpInputs,
  randomScanInputs,
  type SequenceOp,
  selectiveScanCase,
  sequenceOps,
  ssdCase,
  strided,
  upstreamOf,
} from '@statespace/ssd-core/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as api from '../../src/index.js';
import { describeNative, worstError } from '../support.js';

type Call = (options: object) => Record<string, TensorLike | undefined>;

const calls = api as unknown as Record<string, Call>;
const [scan] = sequenceOps as [SequenceOp];

/** Sums of up to a hundred terms in another order: the golden README's tolerance of these families. */
const tolerance = 1e-12;

function native(op: SequenceOp, inputs: OpInputs, upstream: OpInputs) {
  const state = `return${op.lastState[0]?.toUpperCase()}${op.lastState.slice(1)}`;
  return {
    ...(calls[op.name] as Call)({ ...inputs, backend: 'cpu', [state]: true }),
    ...(calls[`${op.name}Backward`] as Call)({ ...inputs, ...upstream, backend: 'cpu' }),
  };
}

function compare(op: SequenceOp, inputs: OpInputs, limit = tolerance, narrowed = (given: OpInputs) => given) {
  const upstream = upstreamOf(op, inputs);
  const wanted = allResults(op, inputs, upstream);
  const results = native(op, narrowed(inputs), narrowed(upstream));
  for (const [name, tensor] of Object.entries(results)) {
    expect(maxRelativeError(tensor as HostTensor, wanted[name] as HostTensor), name).toBeLessThan(limit);
  }
  return results;
}

/** Complex tensors as c64 or c128, real ones as f32 or f64. */
function inSingle(inputs: OpInputs): OpInputs {
  const entries = Object.entries(inputs).map(([name, value]) => {
    const tensor = value as HostTensor;
    if (!(tensor?.data instanceof Float64Array)) return [name, value];
    const dtype = tensor.dtype === 'c128' ? 'c64' : 'f32';
    return [name, { data: Float32Array.from(tensor.data), shape: tensor.shape, dtype }];
  });
  return Object.fromEntries(entries);
}

describeNative.each(sequenceOps)('$name in float64', (op) => {
  test.each([0, 1, 2, 3, 15, 16, 17, 33, 65, 129, 300])('length %i', (seqLen) => {
    const results = compare(op, op.inputs({ batch: 2, seqLen }));
    for (const tensor of Object.values(results)) expect(tensor?.data).toBeInstanceOf(Float64Array);
  });

  test.each([
    [
      'ids',
      {
        seqIdx: {
          data: Int32Array.from({ length: 80 }, (_, i) => (Math.floor(i / 7) % 4) - 1),
          shape: [2, 40],
        },
      },
    ],
    ['lengths', { lengths: { data: Int32Array.of(40, 23), shape: [2] } }],
    ['reverse', { reverse: true }],
    [
      'ids, reverse',
      {
        seqIdx: {
          data: Int32Array.from({ length: 80 }, (_, i) => (Math.floor(i / 9) % 4) - 1),
          shape: [2, 40],
        },
        reverse: true,
      },
    ],
  ])('%s', (_, options: OpInputs) => {
    compare(op, { ...op.inputs({ batch: 2, seqLen: 40 }), ...options });
  });

  test('without what can be left out', () => {
    compare(op, op.inputs({ batch: 3, seqLen: 21, bare: true } as never));
  });

  test('strided tensors', () => {
    const inputs = op.inputs({ batch: 2, seqLen: 19 });
    const upstream = upstreamOf(op, inputs);
    const view = (given: OpInputs) => {
      const entries = Object.entries(given).map(([name, value]) =>
        (value as HostTensor)?.data instanceof Float64Array
          ? [name, strided(value as HostTensor)]
          : [name, value],
      );
      return Object.fromEntries(entries) as OpInputs;
    };
    const wanted = native(op, inputs, upstream);
    const results = native(op, view(inputs), view(upstream));
    for (const [name, tensor] of Object.entries(results))
      expect(tensor?.data, name).toEqual(wanted[name]?.data);
  });

  test('the same bits for 1, 2 and 5 threads', () => {
    const inputs = op.inputs({ batch: 2, seqLen: 90, seed: 4 });
    const upstream = upstreamOf(op, inputs);
    const before = api.getNumThreads();
    const runs = [1, 2, 5].map((threads) => {
      api.setNumThreads(threads);
      const results = native(op, inputs, upstream);
      return Object.values(results).map((tensor) => Array.from(tensor?.data as Float64Array));
    });
    api.setNumThreads(before);
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).toEqual(runs[0]);
  });

  test('float64 parameters widen float32 and half tensors', () => {
    const inputs = op.inputs({ batch: 2, seqLen: 9 });
    const mixed: OpInputs = { ...inputs };
    for (const name of op.sequences) {
      const { data, shape } = inputs[name] as HostTensor;
      mixed[name] = { data: Float32Array.from(data), shape };
    }
    const wanted = op.forward(inputs).out as HostTensor;
    const { out } = (calls[op.name] as Call)({ ...mixed, backend: 'cpu' });
    // Rounded once, to the format of the input.
    expect(out?.data).toEqual(Float32Array.from(wanted.data));
  });
});

describeNative.each(sequenceOps)('$name', (op) => {
  test('float64 gradients from above beside float32 inputs', () => {
    const inputs = inSingle(op.inputs({ batch: 2, seqLen: 19 }));
    const upstream = upstreamOf(op, inputs);
    const results = (calls[`${op.name}Backward`] as Call)({ ...inputs, ...upstream, backend: 'cpu' });
    const wanted = op.backward({ ...inputs, ...upstream });
    for (const [name, tensor] of Object.entries(results)) {
      expect(tensor?.data, name).toBeInstanceOf(Float32Array);
      // Computed in float64 and rounded once.
      expect(maxRelativeError(tensor as HostTensor, wanted[name] as HostTensor), name).toBeLessThan(6e-8);
    }
  });
});

describeNative('complex selective scan', () => {
  const sized = fc.record({
    seqLen: fc.integer({ min: 0, max: 50 }),
    dInner: fc.constantFrom(6, 12, 18),
    dState: fc.integer({ min: 1, max: 9 }),
    groupsB: fc.constantFrom(0, 1, 2, 3),
    groupsC: fc.constantFrom(0, 1, 6),
    bare: fc.boolean(),
    reverse: fc.boolean(),
    seed: fc.integer({ min: 1, max: 1e6 }),
  });

  test('in double', () => {
    fc.assert(
      fc.property(sized, ({ reverse, ...options }) => {
        compare(scan, { ...randomScanInputs({ ...options, complex: true }), reverse });
      }),
      { numRuns: 60 },
    );
  });

  test('in single', () => {
    fc.assert(
      fc.property(sized, ({ reverse, ...options }) => {
        // Sums over products of complex numbers round twice as often as real ones.
        compare(scan, { ...randomScanInputs({ ...options, complex: true }), reverse }, 6e-6, inSingle);
      }),
      // The same draws in every run: gradDeltaBias sums steps that may cancel, and then no relative bound holds for all.
      { numRuns: 60, seed: 1 },
    );
  });

  test('tagged pairs, plain pairs, strided pairs, packed sequences', () => {
    const inputs = randomScanInputs({ batch: 1, seqLen: 33, complex: true, cuSeqlens: [0, 4, 4, 33] });
    compare(scan, { ...inputs });
    const plain = Object.fromEntries(
      Object.entries(inputs).map(([name, value]) => {
        const { data, shape, dtype } = value as HostTensor;
        return [name, dtype === 'c128' ? { data, shape } : value];
      }),
    );
    const wanted = native(scan, { ...inputs }, upstreamOf(scan, { ...inputs }));
    const results = native(scan, plain, upstreamOf(scan, { ...inputs }));
    for (const [name, tensor] of Object.entries(results))
      expect(tensor?.data, name).toEqual(wanted[name]?.data);
    const B = strided(inputs.B);
    const { out } = api.selectiveScan({ ...inputs, B, backend: 'cpu' });
    expect(out.data).toEqual(wanted.out?.data);
  });
});

describeNative('golden numbers of the SSD scans in float64', () => {
  const cases = goldenCases('ssd', test.skip).filter(({ params }) => params.method !== 'core');
  const [, , ssd, diagonal] = sequenceOps as [SequenceOp, SequenceOp, SequenceOp, SequenceOp];
  describe.each(cases)('$name', (golden) => {
    const { inputs, upstream, expected } = ssdCase(golden);

    test('one decay per head', () => {
      expectGolden(native(ssd, { ...inputs } as OpInputs, { ...upstream } as OpInputs), expected);
    });

    test('the same decay for every state', () => {
      const { A, B } = inputs as { readonly A: HostTensor; readonly B: HostTensor };
      const dState = B.shape.at(-1) as number;
      const rates = Float64Array.from(
        { length: A.data.length * dState },
        (_, i) => A.data[Math.floor(i / dState)] as number,
      );
      const repeated = { ...inputs, A: { data: rates, shape: [A.data.length, dState] } };
      const { gradA, ...results } = native(
        diagonal,
        { ...repeated } as OpInputs,
        { ...upstream } as OpInputs,
      );
      const { gradA: wantedA, ...wanted } = expected;
      expectGolden(results, wanted);
      const sums = Float64Array.from(A.data, (_, head) => {
        const rows = (gradA as HostTensor).data.subarray(head * dState, (head + 1) * dState) as Float64Array;
        return rows.reduce((sum, value) => sum + value, 0);
      });
      if (wantedA !== undefined) expect(maxRelativeError({ data: sums }, wantedA)).toBeLessThan(tolerance);
    });
  });
});

function expectGolden(
  results: Readonly<Record<string, TensorLike | undefined>>,
  expected: Readonly<Record<string, HostTensor>>,
): void {
  const names = Object.keys(expected);
  const compared = Object.fromEntries(names.map((name) => [name, results[name] as HostTensor]));
  for (const [name, result] of Object.entries(compared)) expect(result, name).toBeDefined();
  const { name, error } = worstError(compared, expected);
  expect(error, name).toBeLessThan(tolerance);
}

describeNative('golden numbers of the selective scan in float64', () => {
  const cases = goldenCases('selective-scan', test.skip);
  describe.each(cases)('$name', (golden) => {
    test('forward, last state and gradients', () => {
      const { inputs, upstream, expected } = selectiveScanCase(golden);
      const results = native(scan, { ...inputs } as OpInputs, { ...upstream } as OpInputs);
      expectGolden(results, expected);
    });
  });
});
