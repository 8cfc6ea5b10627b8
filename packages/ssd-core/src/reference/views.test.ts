import { describe, expect, test } from 'vitest';
import { broadcastView } from '../broadcast.js';
import { allocateHostArray, type DType } from '../dtype.js';
import { ArgumentError, DisposedError, DTypeError, OutOfMemoryError, ShapeError } from '../errors.js';
import { encodeBfloat16, encodeFloat16 } from '../half-floats.js';
import { strided } from '../testing/index.js';
import { createReferenceKernels } from './index.js';
import { loadContiguous, loadFloat64, loadIndices, rowMajorArray, storeFloat64 } from './views.js';

const numbers = Float64Array.of(0, 1, -2, 3.5, 4, -5.25);
const load = (tensor: Parameters<typeof loadFloat64>[2]) => [...loadFloat64('op', 'x', tensor)];

describe('loadFloat64', () => {
  test.each<DType>(['f32', 'f64', 'f16', 'bf16'])('reads %s, contiguous and strided', (dtype) => {
    const encode =
      { f16: encodeFloat16, bf16: encodeBfloat16 }[dtype as string] ?? ((value: number) => value);
    const data = allocateHostArray(dtype, 6);
    data.set(numbers.map(encode));
    const tensor = { data, shape: [2, 3], dtype };
    expect(load(tensor)).toEqual([...numbers]);
    expect(load(strided(tensor))).toEqual([...numbers]);
  });

  test('reads integers, complex pairs and device buffers', () => {
    expect(load({ data: Int32Array.of(1, -2), shape: [2] })).toEqual([1, -2]);
    expect(load({ data: Uint8Array.of(1, 255), shape: [2] })).toEqual([1, 255]);
    expect(load({ data: Float32Array.of(1, 2, 3, 4), shape: [2, 2], dtype: 'c64' })).toEqual([1, 2, 3, 4]);
    const kernels = createReferenceKernels();
    const buffer = kernels.allocate('bf16', 2);
    kernels.upload(buffer, Uint16Array.of(encodeBfloat16(1.5), encodeBfloat16(-3)));
    expect(load({ data: buffer, shape: [2] })).toEqual([1.5, -3]);
  });

  test('reads views: scalar, transpose, stride 0, negative stride, offset, nothing', () => {
    const data = Float32Array.of(1, 2, 3, 4, 5, 6);
    expect(load({ data, shape: [], offset: 4 })).toEqual([5]);
    expect(load({ data, shape: [3, 2], strides: [1, 3] })).toEqual([1, 4, 2, 5, 3, 6]);
    expect(load({ data, shape: [2, 2], strides: [0, 1], offset: 1 })).toEqual([2, 3, 2, 3]);
    expect(load({ data, shape: [3], strides: [-2], offset: 4 })).toEqual([5, 3, 1]);
    expect(load({ data, shape: [2, 0, 3] })).toEqual([]);
    expect(load({ data: new Float32Array(0), shape: [0] })).toEqual([]);
    const row = { data, shape: [1, 2], offset: 2 };
    expect(load(broadcastView('op', 'x', row, [2, 2, 2]))).toEqual([3, 4, 3, 4, 3, 4, 3, 4]);
  });

  test('walks four axes in row-major order', () => {
    const shape = [2, 3, 2, 2];
    const data = Float32Array.from({ length: 24 }, (_, i) => i);
    expect(load(strided({ data, shape }))).toEqual([...data]);
    const out = strided({ data: new Float32Array(24), shape });
    storeFloat64('op', 'out', out, Float64Array.from(data));
    expect(load(out)).toEqual([...data]);
  });

  test('gives an array of its own', () => {
    const data = Float64Array.of(1, 2);
    loadFloat64('op', 'x', { data, shape: [2] }).fill(9);
    expect([...data]).toEqual([1, 2]);
  });
});

describe('storeFloat64', () => {
  test('rounds once: to float32, f16 and bf16', () => {
    // Rounding first to float32 would land on the midpoint between two f16 numbers and then on the wrong one.
    const value = 1 + 2 ** -11 + 2 ** -40;
    const values = Float64Array.of(value);
    const half = { data: new Uint16Array(1), shape: [1], dtype: 'f16' as const };
    storeFloat64('op', 'out', half, values);
    expect(half.data[0]).toBe(encodeFloat16(1 + 2 ** -10));
    expect(encodeFloat16(Math.fround(value))).toBe(encodeFloat16(1));
    const brain = { data: new Uint16Array(1), shape: [1], dtype: 'bf16' as const };
    storeFloat64('op', 'out', brain, Float64Array.of(1 + 2 ** -8 + 2 ** -40));
    expect(brain.data[0]).toBe(encodeBfloat16(1 + 2 ** -7));
    const single = { data: new Float32Array(1), shape: [1] };
    storeFloat64('op', 'out', single, Float64Array.of(0.1));
    expect(single.data[0]).toBe(Math.fround(0.1));
  });

  test('integers lose their fraction, stay in range, and take NaN for 0', () => {
    const values = Float64Array.of(1.9, -1.9, 1e12, -1e12, Number.NaN, 300);
    const ints = { data: new Int32Array(6).fill(7), shape: [6] };
    storeFloat64('op', 'out', ints, values);
    expect([...ints.data]).toEqual([1, -1, 2147483647, -2147483648, 0, 300]);
    const bytes = { data: new Uint8Array(6).fill(7), shape: [6] };
    storeFloat64('op', 'out', bytes, values);
    expect([...bytes.data]).toEqual([1, 0, 255, 0, 0, 255]);
  });

  test('writes through a view and nowhere else', () => {
    const data = new Float32Array(12).fill(-1);
    storeFloat64(
      'op',
      'out',
      { data, shape: [2, 2], strides: [6, 2], offset: 1 },
      Float64Array.of(1, 2, 3, 4),
    );
    expect([...data]).toEqual([-1, 1, -1, 2, -1, -1, -1, 3, -1, 4, -1, -1]);
  });

  test('refuses another count', () => {
    const out = { data: new Float32Array(4), shape: [2, 2] };
    expect(() => storeFloat64('op', 'out', out, new Float64Array(3))).toThrow(ShapeError);
  });
});

describe('memory that does not fit', () => {
  const data = new Float32Array(6);
  test.each([
    ['too short', { data, shape: [7] }, 'op: x: expected memory of at least 7 elements for shape (7), got 6'],
    ['offset too far', { data, shape: [2, 3], offset: 1 }, 'at least 7'],
    ['stride too wide', { data, shape: [2, 3], strides: [4, 1] }, 'at least 7'],
    ['before the start', { data, shape: [3], strides: [-1], offset: 1 }, 'a view that starts 1 before it'],
    ['a negative size', { data, shape: [-1] }, 'sizes of 0 or more'],
    ['a broken size', { data, shape: [1.5] }, 'sizes of 0 or more'],
    ['too few strides', { data, shape: [2, 3], strides: [1] }, '2 integer strides'],
    ['a broken stride', { data, shape: [2], strides: [Number.NaN] }, '1 integer strides'],
    ['a negative offset', { data, shape: [2], offset: -1 }, 'an offset of 0 or more'],
  ])('%s', (_, tensor, message) => {
    expect(() => load(tensor)).toThrow(ShapeError);
    expect(() => load(tensor)).toThrow(message);
  });

  test('an empty view may lie anywhere', () => {
    expect(load({ data, shape: [0, 9], strides: [100, 100] })).toEqual([]);
  });

  test('a detached array and a disposed buffer', () => {
    const gone = new Float32Array(4);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    expect(() => load({ data: gone, shape: [4] })).toThrow(DisposedError);
    const buffer = createReferenceKernels().allocate('f32', 4);
    buffer.dispose();
    expect(() => load({ data: buffer, shape: [4] })).toThrow('op: x: got a buffer that was disposed');
  });

  test('memory of a device the host cannot see', () => {
    const onDevice = {
      ...createReferenceKernels().allocate('f32', 4),
      device: 'cuda:0',
      dtype: 'f32' as const,
    };
    const remote = {
      ...onDevice,
      length: 4,
      data: undefined,
      disposed: false,
      dispose() {},
      [Symbol.dispose]() {},
    };
    expect(() => load({ data: remote, shape: [4] })).toThrow(
      'op: x: expected host memory, got memory of cuda:0',
    );
  });

  test('things that are no tensor', () => {
    expect(() => load(undefined as never)).toThrow('op: x: expected a tensor { data, shape }, got nothing');
    expect(() => load([1, 2] as never)).toThrow(ArgumentError);
    expect(() => load({ data: [1, 2], shape: [2] } as never)).toThrow(/a typed array or a DeviceBuffer/);
    expect(() => load({ data: new Uint16Array(2), shape: [2] })).toThrow(DTypeError);
    const tensor = { data, shape: [2, 3] };
    expect(() => load({ ...tensor, strides: {} } as never)).toThrow(/expected 2 integer strides, got object/);
    expect(() => load({ ...tensor, shape: [Symbol('s')] } as never)).toThrow(
      /sizes of 0 or more, got \(symbol\)/,
    );
    expect(() => load({ ...tensor, offset: { toString: false } } as never)).toThrow(
      /an offset .* got object/,
    );
    for (const dtype of ['constructor', Symbol('s'), {}]) {
      expect(() => loadContiguous('op', 'x', { ...tensor, dtype } as never)).toThrow(DTypeError);
    }
  });

  test('more entries than any memory holds, by strides of 0', () => {
    const tensor = { data, shape: [2 ** 45], strides: [0] };
    expect(() => load(tensor)).toThrow(OutOfMemoryError);
    expect(() => loadContiguous('op', 'x', tensor)).toThrow(/35184372088832 elements of f32/);
  });
});

describe('rowMajorArray', () => {
  test('is a part of the array where entries lie in order, else a copy', () => {
    const data = Float32Array.of(1, 2, 3, 4, 5, 6);
    const part = rowMajorArray('op', 'x', { data, shape: [2, 2], offset: 1 });
    expect([part.buffer, [...part]]).toEqual([data.buffer, [2, 3, 4, 5]]);
    const turned = rowMajorArray('op', 'x', { data, shape: [3, 2], strides: [1, 3] });
    expect([...turned]).toEqual([1, 4, 2, 5, 3, 6]);
    expect(turned.buffer).not.toBe(data.buffer);
    expect(rowMajorArray('op', 'x', { data, shape: [0] })).toEqual(new Float32Array(0));
    expect(() => rowMajorArray('op', 'x', { data, shape: [7] })).toThrow(ShapeError);
  });
});

describe('loadContiguous and loadIndices', () => {
  test('copy bit patterns as they are', () => {
    const tensor = {
      data: Uint16Array.of(1, 2, 3, 4),
      shape: [2, 2],
      strides: [1, 2],
      dtype: 'f16' as const,
    };
    expect(loadContiguous('op', 'x', tensor)).toEqual(Uint16Array.of(1, 3, 2, 4));
  });

  test('check the range, with one exception allowed', () => {
    const ids = { data: Int32Array.of(0, 4, -100), shape: [3] };
    expect([...loadIndices('op', 'ids', ids, 5, -100)]).toEqual([0, 4, -100]);
    expect(() => loadIndices('op', 'ids', ids, 5)).toThrow(
      'op: ids[2]: expected an index in [0, 5), got -100',
    );
    expect(() => loadIndices('op', 'ids', ids, 4, -100)).toThrow(
      'op: ids[1]: expected an index in [0, 4) or -100, got 4',
    );
  });
});
