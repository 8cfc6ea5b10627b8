import {
  ArgumentError,
  DisposedError,
  DTypeError,
  encodeBfloat16,
  loadFloat64,
  rowMajorArray,
  ShapeError,
} from '@statespace/ssd-core';
import { anyView, detached } from '@statespace/ssd-core/testing';
import fc from 'fast-check';
import { Tensor } from 'onnxruntime-common';
import { describe, expect, test } from 'vitest';
import { fromOnnxTensor, type OnnxTensor, toOnnxTensor } from './index.js';

const roundTrip = (tensor: Parameters<typeof toOnnxTensor>[0]) => {
  const { type, data, dims } = toOnnxTensor(tensor);
  return new Tensor(type, data, dims);
};

describe('fromOnnxTensor', () => {
  test.each<[Tensor.Type, Tensor.DataType, string]>([
    ['float32', Float32Array.of(1.5, -2), 'f32'],
    ['float64', Float64Array.of(1.5, -2), 'f64'],
    ['float16', Uint16Array.of(0x3c00, 0xc000), 'f16'],
    ['int32', Int32Array.of(1, -2), 'i32'],
    ['uint8', Uint8Array.of(1, 255), 'u8'],
    ['bool', Uint8Array.of(1, 0), 'u8'],
  ])('%s shares its memory', (type, data, dtype) => {
    const source = new Tensor(type, data, [1, 2]);
    const tensor = fromOnnxTensor(source);
    expect([tensor.dtype, tensor.shape]).toEqual([dtype, [1, 2]]);
    tensor.data[0] = 0;
    expect((source.data as Float32Array)[0]).toBe(0);
    expect(tensor.data.buffer).toBe((source.data as Float32Array).buffer);
  });
  test('bfloat16, by its bits', () => {
    const data = Uint16Array.of(0x3f80);
    expect(fromOnnxTensor({ type: 'bfloat16', data, dims: [1] })).toEqual({
      data,
      shape: [1],
      dtype: 'bf16',
    });
  });
  test('bits of float16 in whatever array this Node has for them', () => {
    const bits = Uint16Array.of(0x3c00, 0x8001);
    const { data } = fromOnnxTensor(new Tensor('float16', bits, [2]));
    expect(data).toEqual(bits);
  });
  test.each<[Tensor.Type, Tensor.DataType, number[]]>([
    ['int64', BigInt64Array.of(-5n, 2147483647n), [-5, 2147483647]],
    ['uint64', BigUint64Array.of(5n), [5]],
    ['uint32', Uint32Array.of(7), [7]],
    ['int16', Int16Array.of(-7), [-7]],
    ['uint16', Uint16Array.of(65535), [65535]],
    ['int8', Int8Array.of(-7), [-7]],
  ])('%s becomes int32', (type, data, wanted) => {
    const tensor = fromOnnxTensor(new Tensor(type, data, [wanted.length]));
    expect(tensor).toEqual({ data: Int32Array.from(wanted), shape: [wanted.length], dtype: 'i32' });
  });
  test('a scalar', () => {
    expect(fromOnnxTensor(new Tensor('float32', [2], [])).shape).toEqual([]);
  });

  const gone = new Tensor(new Float32Array(2), [2]);
  gone.dispose();
  const onDevice = Tensor.fromGpuBuffer({} as never, { dataType: 'float32', dims: [2] });
  const plain = (change: object): OnnxTensor => ({
    type: 'float32',
    data: new Float32Array(2),
    dims: [2],
    ...change,
  });
  test.each<[string, OnnxTensor, typeof ShapeError, RegExp]>([
    ['data on a device', onDevice, ArgumentError, /location 'gpu-buffer'.*getData\(\)/],
    ['a disposed tensor', gone, DisposedError, /disposed/],
    ['memory that is gone', plain({ data: detached(new Float32Array(2)) }), DisposedError, /detached/],
    ['text', new Tensor('string', ['a', 'b'], [2]), DTypeError, /data: .*got string/],
    ['4-bit integers', plain({ type: 'int4' }), DTypeError, /got int4/],
    ['names of Object.prototype', plain({ type: 'constructor' }), DTypeError, /got constructor/],
    [
      'another array than the type says',
      plain({ type: 'float64' }),
      DTypeError,
      /Float64Array of float64, got Float32Array/,
    ],
    ['too few numbers', plain({ dims: [3] }), ShapeError, /3 elements/],
    ['too many numbers', plain({ dims: [1] }), ShapeError, /1 numbers.*got 2/],
    ['negative sizes', plain({ dims: [-2] }), ShapeError, /0 or more/],
    ['sizes that are no number', plain({ dims: [Number.NaN] }), ShapeError, /0 or more/],
    ['no sizes', plain({ dims: undefined }), ArgumentError, /dims.*undefined/],
    [
      'an integer that int32 cannot hold',
      plain({ type: 'int64', data: BigInt64Array.of(0n, 2n ** 40n) }),
      ArgumentError,
      /data\[1\].*int32.*1099511627776/,
    ],
    ['nothing', null as unknown as OnnxTensor, ArgumentError, /got null/],
  ])('refuses %s', (_, tensor, type, message) => {
    const call = () => fromOnnxTensor(tensor);
    expect(call).toThrow(message);
    expect(call).toThrow(type);
  });
});

describe('toOnnxTensor', () => {
  test('comes back, from views of any strides', () => {
    fc.assert(
      fc.property(anyView(['f32', 'f64', 'f16', 'i32', 'u8']), (tensor) => {
        const back = fromOnnxTensor(roundTrip(tensor));
        expect([back.dtype, back.shape]).toEqual([tensor.dtype, tensor.shape]);
        expect(back.data).toEqual(rowMajorArray('test', 'tensor', tensor));
      }),
    );
  });
  test('hands over memory in row-major order, a part of it too', () => {
    const data = Float32Array.of(0, 1, 2, 3);
    const part = roundTrip({ data, shape: [2], offset: 1 });
    data[1] = 9;
    expect([...(part.data as Float32Array)]).toEqual([9, 2]);
  });
  test('bfloat16 becomes float32, exactly', () => {
    const numbers = [1.5, -(2 ** -120), 3e38];
    const data = Uint16Array.from(numbers, encodeBfloat16);
    const tensor = { data, shape: [3], dtype: 'bf16' } as const;
    const { type, data: wide } = roundTrip(tensor);
    expect(type).toBe('float32');
    expect([...(wide as Float32Array)]).toEqual([...loadFloat64('test', 'tensor', tensor)]);
  });
  test('refuses complex numbers with what to do, which works', () => {
    const tensor = { data: Float32Array.of(1, 2), shape: [1, 2], dtype: 'c64' } as const;
    expect(() => toOnnxTensor(tensor)).toThrow(DTypeError);
    expect(() => toOnnxTensor(tensor)).toThrow(/dtype: 'f32'/);
    expect(roundTrip({ ...tensor, dtype: 'f32' }).dims).toEqual([1, 2]);
  });
});
