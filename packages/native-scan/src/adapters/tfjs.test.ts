import { ArgumentError, DTypeError, loadFloat64, rowMajorArray, ShapeError } from '@statespace/ssd-core';
import { anyView } from '@statespace/ssd-core/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromTfjsTensor, type TfjsTensor, toTfjsTensor } from './index.js';

/** What a tf.Tensor is to an adapter. */
const tfTensor = (data: unknown, shape: number[], dtype: string): TfjsTensor => ({
  shape,
  dtype,
  dataSync: () => data,
});

describe('fromTfjsTensor', () => {
  test.each([
    ['float32', Float32Array.of(1, 2), 'f32'],
    ['int32', Int32Array.of(1, -2), 'i32'],
    ['bool', Uint8Array.of(1, 0), 'u8'],
  ])('%s', (type, data, dtype) => {
    const tensor = fromTfjsTensor(tfTensor(data, [2], type));
    expect(tensor).toEqual({ data, shape: [2], dtype });
    expect(tensor.data).toBe(data);
  });
  test('complex numbers are pairs', () => {
    const data = Float32Array.of(1, 2, 3, 4);
    expect(fromTfjsTensor(tfTensor(data, [2], 'complex64'))).toEqual({ data, shape: [2, 2], dtype: 'c64' });
  });
  test.each<[string, TfjsTensor, typeof ShapeError, RegExp]>([
    ['text', tfTensor(['a'], [1], 'string'), DTypeError, /got string/],
    ['another size', tfTensor(new Float32Array(3), [2], 'float32'), ShapeError, /2 numbers/],
    [
      'what has no numbers',
      { shape: [1], dtype: 'float32' } as unknown as TfjsTensor,
      ArgumentError,
      /dataSync/,
    ],
  ])('refuses %s', (_, tensor, type, message) => {
    const call = () => fromTfjsTensor(tensor);
    expect(call).toThrow(message);
    expect(call).toThrow(type);
  });
});

describe('toTfjsTensor', () => {
  test('gives every real format as float32 or int32', () => {
    fc.assert(
      fc.property(anyView(['f32', 'f64', 'f16', 'bf16', 'i32', 'u8']), (tensor) => {
        const { values, shape, dtype } = toTfjsTensor(tensor);
        expect(shape).toEqual(tensor.shape);
        expect(dtype).toBe(tensor.dtype === 'i32' || tensor.dtype === 'u8' ? 'int32' : 'float32');
        const numbers = loadFloat64('test', 'tensor', tensor);
        expect([...values]).toEqual([...(dtype === 'int32' ? numbers : Float32Array.from(numbers))]);
        const back = fromTfjsTensor(tfTensor(values, shape, dtype));
        expect(rowMajorArray('test', 'back', back)).toEqual(values);
      }),
    );
  });
  test('hands over float32 in row-major order without a copy', () => {
    const data = Float32Array.of(1, 2);
    expect(toTfjsTensor({ data, shape: [2] }).values.buffer).toBe(data.buffer);
  });
});
