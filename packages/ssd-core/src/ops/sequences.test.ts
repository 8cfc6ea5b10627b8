import { describe, expect, test } from 'vitest';
import { contiguousStrides, type TensorLike } from '../tensor-like.js';
import {
  allResults,
  dot,
  gradientErrors,
  type HostTensor,
  hostTensor,
  maxRelativeError,
  type OpInputs,
  type OpResults,
  type SequenceOp,
  sequenceOps,
  toIndexTensor,
  upstreamOf,
  worst,
} from '../testing/index.js';
import { mirroredInTime } from './reverse.js';
import { readSequences } from './sequences.js';

const indices = (data: readonly number[], shape: readonly number[]): TensorLike => ({
  ...toIndexTensor(data),
  shape,
});

/** Rows [from, to) of batch row `b` of a contiguous (B, L, ...), as (1, to - from, ...). */
function steps(tensor: HostTensor, b: number, from: number, to: number): HostTensor {
  const [batchStride, step] = contiguousStrides(tensor.shape) as [number, number];
  const data = tensor.data.slice(b * batchStride + from * step, b * batchStride + to * step);
  return hostTensor(data, [1, to - from, ...tensor.shape.slice(2)], tensor.dtype);
}

function row(tensor: HostTensor, b: number): HostTensor {
  const size = tensor.data.length / (tensor.shape[0] as number);
  return hostTensor(tensor.data.slice(b * size, (b + 1) * size), [1, ...tensor.shape.slice(1)]);
}

/** `inputs` and the gradients of the outputs, cut down to steps [from, to) of row `b`. */
function cut(op: SequenceOp, given: OpInputs, b: number, from: number, to: number, handsOn = true): OpInputs {
  const pieces: OpInputs = {};
  for (const [name, value] of Object.entries(given)) {
    if ([...op.sequences, 'gradOut'].includes(name)) pieces[name] = steps(value as HostTensor, b, from, to);
    else if (/[sS]tate/.test(name)) {
      if (handsOn) pieces[name] = row(value as HostTensor, b);
    } else if (!['seqIdx', 'lengths', 'cuSeqlens'].includes(name)) pieces[name] = value;
  }
  return pieces;
}

function expectSame(results: OpResults, wanted: OpResults, names: readonly string[]) {
  for (const name of names) {
    const ours = results[name] as HostTensor;
    expect(maxRelativeError(ours, wanted[name] as HostTensor), name).toBeLessThan(1e-13);
  }
}

describe.each(sequenceOps)('$name', (op) => {
  const inputs = op.inputs({ batch: 2, seqLen: 9 });
  const upstream = upstreamOf(op, inputs);
  const results = (options: OpInputs) => allResults(op, { ...inputs, ...options }, upstream);

  test('ids: each run is a sequence of its own, the state passes padding by', () => {
    const seqIdx = indices([4, 4, 4, 1, 1, -1, -3, 4, 4, -1, 2, 2, 2, 2, 2, 2, 2, 2], [2, 9]);
    const ours = results({ seqIdx });
    const given = { ...inputs, ...upstream };
    const runs = [
      { b: 0, from: 0, to: 3, first: true, last: false },
      { b: 0, from: 3, to: 5, first: false, last: false },
      { b: 0, from: 7, to: 9, first: false, last: true },
      { b: 1, from: 1, to: 9, first: true, last: true },
    ];
    const sums: Record<string, Float64Array> = {};
    for (const { b, from, to, first, last } of runs) {
      const pieces = cut(op, given, b, from, to);
      if (!first) delete pieces[op.initialState];
      if (!last) delete pieces[Object.keys(upstream)[1] as string];
      const alone = allResults(op, pieces, pieces);
      const parts = Object.fromEntries(
        op.sequenceResults.map((name) => [name, steps(ours[name] as HostTensor, b, from, to)]),
      );
      expectSame(parts, alone, op.sequenceResults);
      if (last)
        expectSame({ state: row(ours[op.lastState] as HostTensor, b) }, { state: alone[op.lastState] }, [
          'state',
        ]);
      for (const [name, tensor] of Object.entries(alone)) {
        if (op.sequenceResults.includes(name) || /[sS]tate/.test(name) || tensor === undefined) continue;
        sums[name] ??= new Float64Array(tensor.data.length);
        const sum = sums[name];
        tensor.data.forEach((value, i) => {
          sum[i] = (sum[i] as number) + value;
        });
      }
    }
    for (const [name, sum] of Object.entries(sums)) {
      expect(maxRelativeError(ours[name] as HostTensor, sum), name).toBeLessThan(1e-12);
    }
    for (const name of op.sequenceResults) {
      expect(
        steps(ours[name] as HostTensor, 0, 5, 7).data.every((value) => value === 0),
        name,
      ).toBe(true);
      expect(
        steps(ours[name] as HostTensor, 1, 0, 1).data.every((value) => value === 0),
        name,
      ).toBe(true);
    }
  });

  test('lengths: the rest of a row does not count, whatever stands there', () => {
    const lengths = indices([6, 0], [2]);
    const ours = results({ lengths });
    const alone = allResults(op, cut(op, inputs, 0, 0, 6), cut(op, upstream, 0, 0, 6));
    for (const name of op.sequenceResults) {
      expectSame({ [name]: steps(ours[name] as HostTensor, 0, 0, 6) }, alone, [name]);
      expect(steps(ours[name] as HostTensor, 0, 6, 9).data.every((value) => value === 0)).toBe(true);
      expect(row(ours[name] as HostTensor, 1).data.every((value) => value === 0)).toBe(true);
    }
    // A row without steps hands its state on, and the gradient of the state back.
    expect(row(ours[op.lastState] as HostTensor, 1).data).toEqual(
      row(inputs[op.initialState] as HostTensor, 1).data,
    );
    const spoilt = structuredClone({ ...inputs, ...upstream }) as OpInputs;
    for (const name of [...op.sequences, 'gradOut']) {
      const { data, shape } = spoilt[name] as HostTensor;
      const size = data.length / (shape[0] as number);
      data.fill(Number.NaN, Math.round((6 / 9) * size));
    }
    const again = allResults(op, { ...spoilt, lengths }, spoilt);
    for (const [name, tensor] of Object.entries(ours)) expect(again[name]?.data, name).toEqual(tensor?.data);
  });

  test.each([
    ['whole rows', {}],
    ['ids', { seqIdx: indices([3, 3, -1, 5, 5, 5, 5, 6, 6, 0, 0, 0, 0, 0, 0, 0, -1, -1], [2, 9]) }],
    ['lengths', { lengths: indices([7, 9], [2]) }],
  ])('reverse of %s is the walk over sequences turned around', (_, options: OpInputs) => {
    const turn = (tensor: unknown) => {
      const view = mirroredInTime(tensor as TensorLike);
      const flat = new Float64Array((tensor as HostTensor).data.length);
      const strides = contiguousStrides(view.shape);
      const [batch, length] = view.shape as [number, number];
      const width = strides[1] as number;
      for (let b = 0; b < batch; b++) {
        for (let t = 0; t < length; t++) {
          const from = (view.offset ?? 0) + b * (strides[0] as number) - t * width;
          flat.set(
            (tensor as HostTensor).data.subarray(from, from + width),
            b * (strides[0] as number) + t * width,
          );
        }
      }
      return hostTensor(flat, view.shape);
    };
    const ours = results({ ...options, reverse: true });
    const turned: OpInputs = { ...inputs, ...upstream };
    for (const name of [...op.sequences, 'gradOut']) turned[name] = turn(turned[name]);
    const ids = options.seqIdx ?? idsOf(options.lengths, 2, 9);
    const flipped = (ids.data as Int32Array).slice();
    for (let b = 0; b < 2; b++) flipped.subarray(b * 9, b * 9 + 9).reverse();
    const wanted = allResults(op, { ...turned, seqIdx: { data: flipped, shape: [2, 9] } }, turned);
    for (const name of op.sequenceResults) wanted[name] = turn(wanted[name]);
    expectSame(
      ours,
      wanted,
      Object.keys(ours).filter((name) => ours[name] !== undefined),
    );
  });

  test.each([
    ['ids', { seqIdx: indices([1, 1, -1, 2, 2], [1, 5]) }],
    ['lengths', { lengths: indices([3], [1]) }],
    ['ids, reverse', { seqIdx: indices([1, 1, -1, 2, 2], [1, 5]), reverse: true }],
    ['boundaries, reverse', { cuSeqlens: indices([0, 5], [2]), reverse: true }],
  ])('gradients against finite differences: %s', (_, options: OpInputs) => {
    const small: OpInputs = { ...op.inputs({ batch: 1, seqLen: 5 }), ...options };
    const given = upstreamOf(op, small);
    const loss = () => {
      const forward = op.forward(small);
      const [gradOut, gradState] = Object.values(given) as HostTensor[];
      return (
        dot((forward.out as HostTensor).data, (gradOut as HostTensor).data) +
        dot((forward[op.lastState] as HostTensor).data, (gradState as HostTensor).data)
      );
    };
    const errors = gradientErrors(loss, small, op.backward({ ...small, ...given }));
    expect(worst(errors)).toBeLessThan(1e-7);
  });

  test.each<[string, OpInputs, string, RegExp]>([
    [
      'two index inputs',
      { lengths: indices([1, 1], [2]), seqIdx: indices(Array(18).fill(0), [2, 9]) },
      'ERR_ARGUMENT',
      /lengths|seqIdx/,
    ],
    ['ids of another shape', { seqIdx: indices([0, 0], [2]) }, 'ERR_SHAPE', /seqIdx: expected \(B, L\)/],
    ['lengths of another shape', { lengths: indices([1], [1]) }, 'ERR_SHAPE', /lengths: expected \(B\)/],
    [
      'a length beyond the row',
      { lengths: indices([1, 10], [2]) },
      'ERR_ARGUMENT',
      /lengths\[1\].*0 to seqLen = 9.*10/,
    ],
    ['a negative length', { lengths: indices([-1, 3], [2]) }, 'ERR_ARGUMENT', /lengths\[0\]/],
    [
      'lengths that are floats',
      { lengths: { data: Float32Array.of(1, 1), shape: [2] } },
      'ERR_DTYPE',
      /lengths/,
    ],
    ['reverse that is a number', { reverse: 1 as never }, 'ERR_ARGUMENT', /reverse.*true or false/],
  ])('refuses %s', (_, options, code, message) => {
    expect(() => op.forward({ ...inputs, ...options })).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });
});

function idsOf(lengths: TensorLike | undefined, batch: number, seqLen: number): TensorLike {
  const data = new Int32Array(batch * seqLen);
  for (let b = 0; b < batch; b++) {
    const length = lengths === undefined ? seqLen : ((lengths.data as Int32Array)[b] as number);
    data.fill(-1, b * seqLen + length, (b + 1) * seqLen);
  }
  return { data, shape: [batch, seqLen] };
}

test('equal sequences by ids and by boundaries have the same steps', () => {
  const bounds = indices([0, 2, 5, 9], [4]);
  const ids = indices([7, 7, 1, 1, 1, 0, 0, 0, 0], [1, 9]);
  const range = ({ row: r, start, end }: { row: number; start: number; end: number }) => [r, start, end];
  const sizes = { batch: 1, seqLen: 9 };
  expect(readSequences('op', sizes, { seqIdx: ids }).spans.map(range)).toEqual(
    readSequences('op', sizes, { cuSeqlens: bounds }).spans.map(range),
  );
});

test('a batch without steps has its states handed on', () => {
  const seqIdx = indices([], [2, 0]);
  const { spans, padding } = readSequences('op', { batch: 2, seqLen: 0 }, { seqIdx });
  expect(spans).toEqual([
    { row: 0, start: 0, end: 0, initial: 0, final: 0 },
    { row: 1, start: 0, end: 0, initial: 1, final: 1 },
  ]);
  expect(padding).toEqual([]);
});
