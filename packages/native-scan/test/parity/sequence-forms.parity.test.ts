/** Strides, storage formats, layouts, ids, lengths and direction: every form of a call, for all sequence ops. */
import {
  contiguousStrides,
  type DType,
  decodeBfloat16,
  decodeFloat16,
  elementCount,
  encodeBfloat16,
  encodeFloat16,
  type TensorLike,
} from '@statespace/ssd-core';
import {
  allResults,
  type HostTensor,
  maxRelativeError,
  type OpInputs,
  type SequenceOp,
  sequenceOps,
  upstreamOf,
} from '@statespace/ssd-core/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as api from '../../src/index.js';
import { describeNative, inFloat32, nanOutput } from '../support.js';

type Call = (options: object) => Record<string, TensorLike | undefined>;

const calls = api as unknown as Record<string, Call>;

/** The name of the option that asks for the last state. */
const stateOption = ({ lastState }: SequenceOp) =>
  `return${lastState[0]?.toUpperCase()}${lastState.slice(1)}`;

/** Forward and backward on the native backend; `upstream` may stand among the inputs. */
function native(op: SequenceOp, inputs: OpInputs, upstream: OpInputs, options: object = {}) {
  const own = Object.entries(inputs).filter(([name]) => !name.startsWith('grad'));
  const grads = Object.entries(upstream).filter(([name]) => name.startsWith('grad'));
  const common = { ...Object.fromEntries(own), backend: 'cpu', ...options };
  return {
    ...(calls[op.name] as Call)({ ...common, [stateOption(op)]: true }),
    ...(calls[`${op.name}Backward`] as Call)({ ...common, ...Object.fromEntries(grads) }),
  };
}

/** A view with the entries of `tensor` whose axes lie in memory in the order `order`, with gaps. */
function laidOut(tensor: TensorLike, order: readonly number[], gap = 2): TensorLike {
  const strides = new Array<number>(tensor.shape.length);
  let step = 1;
  for (const axis of [...order].reverse()) {
    strides[axis] = step;
    step = step * (tensor.shape[axis] as number) + gap;
  }
  const source = tensor.data as Float32Array;
  const data = new (source.constructor as typeof Float32Array)(step + 5).fill(Number.NaN);
  const own = contiguousStrides(tensor.shape);
  for (let i = 0; i < elementCount(tensor.shape); i++) {
    let at = 3;
    for (const [axis, size] of tensor.shape.entries())
      at += (Math.floor(i / (own[axis] as number)) % size) * (strides[axis] as number);
    data[at] = source[i] as number;
  }
  return { ...tensor, data, strides, offset: 3 };
}

/** The entries of `tensor` in order. */
function entries(tensor: TensorLike): number[] {
  const strides = tensor.strides ?? contiguousStrides(tensor.shape);
  const own = contiguousStrides(tensor.shape);
  const decode = { f16: decodeFloat16, bf16: decodeBfloat16 }[tensor.dtype as string] ?? ((x: number) => x);
  return Array.from({ length: elementCount(tensor.shape) }, (_, i) => {
    let at = tensor.offset ?? 0;
    for (const [axis, size] of tensor.shape.entries())
      at += (Math.floor(i / (own[axis] as number)) % size) * (strides[axis] as number);
    return decode((tensor.data as Float32Array)[at] as number);
  });
}

const orders: Record<number, readonly (readonly number[])[]> = {
  3: [
    [0, 1, 2],
    [0, 2, 1],
    [2, 1, 0],
    [1, 0, 2],
  ],
  4: [
    [0, 1, 2, 3],
    [0, 2, 3, 1],
    [3, 2, 1, 0],
    [0, 2, 1, 3],
    [1, 0, 3, 2],
  ],
};

describeNative('forms of sequence calls on cpu', () => {
  describe.each(sequenceOps)('$name', (op) => {
    const sized = (seqLen: number, seed = 1) => {
      const inputs = op.inputs({ batch: 2, seqLen, seed });
      return { inputs, upstream: upstreamOf(op, inputs, seed + 1) };
    };

    test.each([0, 1, 15, 16, 17, 33, 67])(
      'any strides give the bits of contiguous tensors: length %i',
      (seqLen) => {
        const { inputs, upstream } = sized(seqLen);
        const flat = inFloat32({ ...inputs, ...upstream }) as OpInputs;
        const wanted = native(op, flat, flat);
        for (let turn = 0; turn < 5; turn++) {
          const viewed: OpInputs = { ...flat };
          const results: Record<string, TensorLike> = {};
          const orderOf = (tensor: TensorLike, i: number) => {
            const choices = orders[tensor.shape.length] as readonly (readonly number[])[];
            return choices[(turn + i) % choices.length] as readonly number[];
          };
          for (const [i, name] of [...op.sequences, 'gradOut'].entries()) {
            const tensor = flat[name] as TensorLike;
            viewed[name] = laidOut(tensor, orderOf(tensor, i));
          }
          for (const [i, name] of op.sequenceResults.entries()) {
            const { shape } = wanted[name] as TensorLike;
            const target = nanOutput(shape);
            results[name] = laidOut(target, orderOf(target, i));
          }
          const { out, ...gradients } = results;
          const inputsAlone = Object.fromEntries(
            Object.entries(viewed).filter(([name]) => !name.startsWith('grad')),
          );
          const forward = (calls[op.name] as Call)({
            ...inputsAlone,
            backend: 'cpu',
            out,
            [stateOption(op)]: true,
          });
          const backward = (calls[`${op.name}Backward`] as Call)({ ...viewed, backend: 'cpu', ...gradients });
          for (const [name, tensor] of Object.entries({ ...forward, ...backward })) {
            expect(entries(tensor as TensorLike), name).toEqual(
              Array.from(wanted[name]?.data as Float32Array),
            );
          }
          for (const [name, target] of Object.entries(results)) {
            const untouched = (target.data as Float32Array).filter(Number.isNaN).length;
            expect(untouched, `${name}: what lies between its entries`).toBe(
              (target.data as Float32Array).length - elementCount(target.shape),
            );
          }
        }
      },
    );

    test.each(['f16', 'bf16'] as DType[])(
      '%s storage: the bits of float32 on the same numbers, rounded once',
      (dtype) => {
        const encode = dtype === 'f16' ? encodeFloat16 : encodeBfloat16;
        const decode = dtype === 'f16' ? decodeFloat16 : decodeBfloat16;
        for (const seqLen of [1, 16, 37]) {
          const { inputs, upstream } = sized(seqLen, 5);
          const flat = inFloat32({ ...inputs, ...upstream }) as OpInputs;
          const half: OpInputs = { ...flat };
          const widened: OpInputs = { ...flat };
          for (const [name, value] of Object.entries(flat)) {
            const tensor = value as TensorLike;
            if (!(tensor?.data instanceof Float32Array)) continue;
            // States stay in float32, as accumulators do.
            if (/[sS]tate/.test(name)) continue;
            const bits = Uint16Array.from(tensor.data, encode);
            half[name] = { data: bits, shape: tensor.shape, dtype };
            widened[name] = { data: Float32Array.from(bits, decode), shape: tensor.shape };
          }
          const wanted = native(op, widened, widened);
          for (const layout of ['bld', 'bdl']) {
            const arranged = layout === 'bld' ? half : lengthLast(op, half);
            const results = native(op, arranged, arranged, { layout });
            for (const [name, tensor] of Object.entries(results)) {
              const expected = Array.from(wanted[name]?.data as Float32Array);
              const stored = tensor?.dtype === dtype;
              // The gradient of a float32 state is one itself.
              expect(stored, name).toBe(!name.startsWith('gradInitial'));
              const ours =
                layout === 'bdl' && op.sequenceResults.includes(name)
                  ? lengthSecond(tensor as TensorLike)
                  : tensor;
              expect(entries(ours as TensorLike), name).toEqual(
                stored ? expected.map((x) => decode(encode(x))) : expected,
              );
            }
          }
        }
      },
    );

    test('ids, lengths, direction: against the reference', () => {
      const options = fc.record({
        seqLen: fc.integer({ min: 0, max: 70 }),
        seed: fc.integer({ min: 1, max: 1e6 }),
        reverse: fc.boolean(),
        kind: fc.constantFrom('rows', 'seqIdx', 'lengths', 'cuSeqlens'),
        cuts: fc.array(fc.nat(), { minLength: 140, maxLength: 140 }),
      });
      fc.assert(
        fc.property(options, ({ seqLen, seed, reverse, kind, cuts }) => {
          const batch = kind === 'cuSeqlens' ? 1 : 2;
          let indexed: OpInputs = {};
          if (kind === 'lengths')
            indexed = {
              lengths: {
                data: Int32Array.of((cuts[0] as number) % (seqLen + 1), (cuts[1] as number) % (seqLen + 1)),
                shape: [2],
              },
            };
          if (kind === 'seqIdx') {
            // Runs of about five steps, a fifth of them padding.
            const ids = new Int32Array(2 * seqLen);
            let id = 0;
            for (let i = 0; i < ids.length; i++) {
              if ((cuts[i] as number) % 5 === 0) id = ((cuts[i] as number) % 25) / 5 - 1;
              ids[i] = id;
            }
            indexed = { seqIdx: { data: ids, shape: [2, seqLen] } };
          }
          let inputs = op.inputs({ batch, seqLen, seed });
          if (kind === 'cuSeqlens') {
            const middle = [(cuts[2] as number) % (seqLen + 1), (cuts[3] as number) % (seqLen + 1)].sort(
              (a, b) => a - b,
            );
            const bounds = [0, ...middle, seqLen];
            inputs = op.inputs({ batch, seqLen, seed, cuSeqlens: bounds } as never);
          }
          const given: OpInputs = { ...inputs, ...indexed, reverse };
          const upstream = upstreamOf(op, given, seed + 1);
          const wanted = allResults(op, given, upstream);
          const results = native(op, inFloat32(given), inFloat32(upstream));
          for (const [name, tensor] of Object.entries(results)) {
            const error = maxRelativeError(tensor as HostTensor, wanted[name] as HostTensor);
            expect(error, `${name} ${kind} ${reverse}`).toBeLessThan(op.tolerance);
          }
        }),
        { numRuns: 60 },
      );
    });

    test('padding is exactly 0, whatever its inputs hold', () => {
      const { inputs, upstream } = sized(40);
      const flat = inFloat32({ ...inputs, ...upstream }) as OpInputs;
      for (const name of [...op.sequences, 'gradOut']) {
        const { data, shape } = flat[name] as { data: Float32Array; shape: number[] };
        const size = data.length / (shape[0] as number);
        data.fill(Number.NaN, Math.round((19 / 40) * size), size);
      }
      const lengths = { data: Int32Array.of(19, 40), shape: [2] };
      const results = native(op, { ...flat, lengths }, flat);
      for (const [name, tensor] of Object.entries(results)) {
        const data = Array.from(tensor?.data as Float32Array);
        expect(data.every(Number.isFinite), name).toBe(true);
        if (!op.sequenceResults.includes(name)) continue;
        const size = data.length / 2;
        expect(
          data.slice(Math.round((19 / 40) * size), size).every((value) => value === 0),
          name,
        ).toBe(true);
      }
    });
  });
});

/** Sequence inputs with their length last. */
function lengthLast(op: SequenceOp, inputs: OpInputs): OpInputs {
  const result: OpInputs = { ...inputs };
  for (const name of [...op.sequences, 'gradOut']) {
    const tensor = inputs[name] as TensorLike;
    const axes = tensor.shape.map((_, axis) => axis);
    const order = [0, ...axes.slice(2), 1];
    const shape = order.map((axis) => tensor.shape[axis] as number);
    const own = contiguousStrides(tensor.shape);
    const target = contiguousStrides(shape);
    const data = (tensor.data as Uint16Array).slice();
    for (let i = 0; i < data.length; i++) {
      let at = 0;
      for (const [place, axis] of order.entries()) {
        at +=
          (Math.floor(i / (own[axis] as number)) % (tensor.shape[axis] as number)) *
          (target[place] as number);
      }
      data[at] = (tensor.data as Uint16Array)[i] as number;
    }
    result[name] = { ...tensor, data, shape };
  }
  return result;
}

/** A view of a length-last tensor with its length second. */
function lengthSecond(tensor: TensorLike): TensorLike {
  const strides = contiguousStrides(tensor.shape);
  const last = tensor.shape.length - 1;
  const order = [0, last, ...tensor.shape.map((_, axis) => axis).slice(1, last)];
  return {
    ...tensor,
    shape: order.map((axis) => tensor.shape[axis] as number),
    strides: order.map((axis) => strides[axis] as number),
  };
}
