import { afterEach, describe, expect, test } from 'vitest';
import { type DType, dtypeOf } from '../dtype.js';
import { DisposedError, DTypeError, OutOfMemoryError, ShapeError } from '../errors.js';
import { decodeBfloat16, decodeFloat16 } from '../half-floats.js';
import { createReferenceKernels } from './index.js';

const memory = createReferenceKernels();

describe('buffers', () => {
  test.each<DType>(['f32', 'f64', 'f16', 'bf16', 'i32', 'u8', 'c64', 'c128'])('%s', (dtype) => {
    const buffer = memory.allocate(dtype, 4);
    expect(buffer.device).toBe('reference');
    expect(buffer.dtype).toBe(dtype);
    expect(buffer.length).toBe(4);
    expect(buffer.disposed).toBe(false);
    expect(dtypeOf(buffer.data!, dtype)).toBe(dtype);
  });

  test('numbers go in and come out', () => {
    const buffer = memory.allocate('f32', 5);
    memory.upload(buffer, Float32Array.of(1, 2, 3, 4, 5));
    memory.upload(buffer, Float32Array.of(8, 9), 2);
    memory.synchronize();
    expect([...memory.download(buffer)]).toEqual([1, 2, 8, 9, 5]);
    expect([...memory.download(buffer, 3)]).toEqual([9, 5]);
    expect([...memory.download(buffer, 1, 2)]).toEqual([2, 8]);
    memory.download(buffer).fill(0);
    expect(memory.download(buffer)[0]).toBe(1);
    memory.trim();
    expect(memory.allocate('i32', 0).length).toBe(0);
  });

  test('dispose ends every use, and may be called twice', () => {
    const buffer = memory.allocate('f32', 2);
    buffer.dispose();
    buffer.dispose();
    expect(buffer.disposed).toBe(true);
    expect(() => buffer.data).toThrow(DisposedError);
    expect(() => memory.upload(buffer, new Float32Array(2))).toThrow(DisposedError);
    expect(() => memory.download(buffer)).toThrow('download: source: got a buffer that was disposed');
    const scoped = memory.allocate('f32', 2);
    scoped[Symbol.dispose]();
    expect(scoped.disposed).toBe(true);
  });

  test('ranges and types that do not fit', () => {
    const buffer = memory.allocate('f32', 2);
    expect(() => memory.upload(buffer, new Float32Array(2), 1)).toThrow(ShapeError);
    expect(() => memory.download(buffer, 1, 2)).toThrow('expected a range inside 2 elements, got 2 from 1');
    expect(() => memory.download(buffer, -1)).toThrow(ShapeError);
    expect(() => memory.upload(buffer, new Float64Array(2))).toThrow(DTypeError);
    expect(() => memory.allocate('f32', 1.5)).toThrow(ShapeError);
    expect(() => memory.allocate('f32', -1)).toThrow(
      'allocate: length: expected an integer of 0 or more, got -1',
    );
    expect(() => memory.allocate('f64', 2 ** 52)).toThrow(OutOfMemoryError);
  });
});

describe('STATESPACE_POISON', () => {
  const before = process.env.STATESPACE_POISON;
  afterEach(() => {
    if (before === undefined) delete process.env.STATESPACE_POISON;
    else process.env.STATESPACE_POISON = before;
  });

  test('fills new memory with NaN, integers with a marker', () => {
    process.env.STATESPACE_POISON = '1';
    for (const dtype of ['f32', 'f64', 'c64', 'c128'] as const) {
      expect([...memory.allocate(dtype, 3).data!]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    }
    expect(decodeFloat16(memory.allocate('f16', 1).data![0]!)).toBeNaN();
    expect(decodeBfloat16(memory.allocate('bf16', 1).data![0]!)).toBeNaN();
    expect(memory.allocate('i32', 1).data![0]).not.toBe(0);
    expect(memory.allocate('u8', 1).data![0]).not.toBe(0);
  });
});

test('the kernels say who they are', () => {
  const { name, device, computes } = createReferenceKernels();
  expect({ name, device, computes }).toEqual({
    name: 'reference',
    device: 'reference',
    computes: ['f64', 'f32'],
  });
});
