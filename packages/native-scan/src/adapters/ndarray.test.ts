import {
  ArgumentError,
  DisposedError,
  encodeFloat16,
  loadFloat64,
  rowMajorArray,
  ShapeError,
} from '@statespace/ssd-core';
import { anyView, detached } from '@statespace/ssd-core/testing';
import fc from 'fast-check';
import ndarray from 'ndarray';
import { describe, expect, test } from 'vitest';
import { fromNdarray, type Ndarray, toNdarray } from './index.js';

const numbers = (array: Ndarray) => [...loadFloat64('test', 'tensor', fromNdarray(array))];
const data = Float32Array.from({ length: 12 }, (_, i) => i);
const array = ndarray(data, [3, 4]);

describe('fromNdarray', () => {
  test.each<[string, Ndarray, number[], number[]]>([
    ['a whole array', array, [3, 4], [...data]],
    ['a transpose', array.transpose(1, 0), [4, 3], [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]],
    ['a part', array.lo(1, 1).hi(2, 2), [2, 2], [5, 6, 9, 10]],
    ['every second column, backwards', array.step(1, -2), [3, 2], [3, 1, 7, 5, 11, 9]],
    ['a row', array.pick(1, null), [4], [4, 5, 6, 7]],
  ])('%s, without a copy', (_, source, shape, wanted) => {
    const tensor = fromNdarray(source);
    expect(tensor.shape).toEqual(shape);
    expect(tensor.data).toBe(data);
    expect(numbers(source)).toEqual(wanted);
  });
  test('other stores', () => {
    expect(fromNdarray(ndarray([1, 2], [2])).data).toEqual(Float64Array.of(1, 2));
    expect(fromNdarray(ndarray(Int16Array.of(-1, 2), [2])).data).toEqual(Int32Array.of(-1, 2));
    expect(fromNdarray(ndarray(Uint8ClampedArray.of(1, 2), [2])).data).toEqual(Uint8Array.of(1, 2));
  });
  const broken = (change: object): Ndarray => ({ data, shape: [12], stride: [1], offset: 0, ...change });
  test.each<[string, Ndarray, typeof ShapeError | typeof ArgumentError, RegExp]>([
    [
      'a store with get and set',
      broken({ data: { get: () => 1, set: () => 1, length: 12 } }),
      ArgumentError,
      /typed array/,
    ],
    ['an array of other things', broken({ data: ['a'] }), ArgumentError, /other things/],
    ['a view that leaves its array', broken({ offset: 1 }), ShapeError, /13 elements/],
    ['a view that starts before it', broken({ stride: [-1] }), ShapeError, /starts 11 before/],
    ['strides for other axes', broken({ stride: [1, 1] }), ShapeError, /1 integer strides/],
    ['sizes that are no number', broken({ shape: [Number.NaN] }), ShapeError, /0 or more/],
    ['memory that is gone', broken({ data: detached(new Float32Array(12)) }), DisposedError, /detached/],
    ['nothing', undefined as unknown as Ndarray, ArgumentError, /an ndarray, got undefined/],
  ])('refuses %s', (_, source, type, message) => {
    const call = () => fromNdarray(source);
    expect(call).toThrow(message);
    expect(call).toThrow(type);
  });
});

describe('toNdarray', () => {
  test('comes back over the same memory, whatever the strides', () => {
    fc.assert(
      fc.property(anyView(['f32', 'f64', 'i32', 'u8']), (tensor) => {
        const made = toNdarray(tensor);
        const back = fromNdarray(ndarray(made.data, made.shape, made.stride, made.offset));
        expect(back.data).toBe(tensor.data);
        expect(rowMajorArray('test', 'back', back)).toEqual(rowMajorArray('test', 'tensor', tensor));
      }),
    );
  });
  test('agrees with ndarray about which entry is where', () => {
    const made = toNdarray({ data, shape: [2, 3], strides: [1, 4], offset: 1 });
    expect(ndarray(made.data, made.shape, made.stride, made.offset).get(1, 2)).toBe(10);
  });
  test('half precision becomes float32', () => {
    const halves = { data: Uint16Array.of(encodeFloat16(0.5)), shape: [1], dtype: 'f16' } as const;
    expect(toNdarray(halves).data).toEqual(Float32Array.of(0.5));
  });
});
