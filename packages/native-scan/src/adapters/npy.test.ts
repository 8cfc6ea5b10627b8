import { readFileSync } from 'node:fs';
import {
  ArgumentError,
  DisposedError,
  DTypeError,
  FormatError,
  rowMajorArray,
  ShapeError,
} from '@statespace/ssd-core';
import { anyView, detached } from '@statespace/ssd-core/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromNpy, toNpy } from './index.js';

const fixtures = new URL('../../../ssd-core/fixtures/npy/', import.meta.url);
const bytesOf = (name: string) => new Uint8Array(readFileSync(new URL(name, fixtures)));
const count = (length: number) => Array.from({ length }, (_, i) => i);

describe('fromNpy', () => {
  test.each([
    ['c-order-f4.npy', 'f32', [2, 3], [0, 0.25, 0.5, 0.75, 1, 1.25]],
    ['fortran-f8.npy', 'f64', [2, 3, 4], count(24)],
    ['f2.npy', 'f16', [2], [0x3800, 0xc000]],
    ['i8.npy', 'i32', [1, 2], [-1, 2147483647]],
    ['scalar-i4.npy', 'i32', [], [7]],
    ['bool.npy', 'u8', [2], [1, 0]],
    ['empty-f4.npy', 'f32', [0, 3], []],
    ['big-endian.npy', 'f32', [1], [1]],
    ['fortran-big-endian-i2.npy', 'i32', [2, 3], [-3, -2, -1, 0, 1, 2]],
    ['c8.npy', 'c64', [2, 3, 2], count(6).flatMap((i) => [i / 2, 0 - i])],
    ['fortran-c16.npy', 'c128', [2, 3, 2], count(6).flatMap((i) => [i / 2, 0 - i])],
  ])('%s', (name, dtype, shape, numbers) => {
    const tensor = fromNpy(bytesOf(name), { name });
    expect([tensor.dtype, tensor.shape]).toEqual([dtype, shape]);
    expect([...rowMajorArray('test', 'tensor', tensor)]).toEqual(numbers);
  });

  test.each(['c-order-f4.npy', 'fortran-f8.npy', 'f2.npy', 'scalar-i4.npy', 'bool.npy', 'fortran-c16.npy'])(
    'uses the bytes of %s where they lie',
    (name) => {
      const bytes = bytesOf(name);
      const { data } = fromNpy(bytes);
      expect(data.buffer).toBe(bytes.buffer);
      bytes.fill(0, bytes.length - data.byteLength);
      expect(data.every((value) => value === 0)).toBe(true);
    },
  );
  test('copies numbers that lie across the grid of their size', () => {
    const bytes = bytesOf('c-order-f4.npy');
    const shifted = new Uint8Array(bytes.length + 1).subarray(1);
    shifted.set(bytes);
    const { data } = fromNpy(shifted);
    expect(data.buffer).not.toBe(shifted.buffer);
    expect([...data]).toEqual([0, 0.25, 0.5, 0.75, 1, 1.25]);
  });
  test('Fortran order is strides', () => {
    expect(fromNpy(bytesOf('fortran-f8.npy')).strides).toEqual([1, 2, 6]);
    expect(fromNpy(bytesOf('fortran-c16.npy')).strides).toEqual([2, 4, 1]);
  });

  test.each<[string, () => unknown, typeof FormatError | typeof ArgumentError, RegExp]>([
    [
      'an int64 that int32 cannot hold',
      () => fromNpy(bytesOf('too-big-i8.npy'), { name: 'ids.npy' }),
      ArgumentError,
      /ids\.npy\[0\].*int32.*2147483648/,
    ],
    ['other bytes', () => fromNpy(new Uint8Array(200)), FormatError, /fromNpy.*NUMPY/],
    ['text', () => fromNpy('x' as never), ArgumentError, /Uint8Array/],
    ['bytes that are gone', () => fromNpy(detached(bytesOf('f2.npy'))), FormatError, /other bytes/],
  ])('refuses %s', (_, call, type, message) => {
    expect(call).toThrow(message);
    expect(call).toThrow(type);
  });
});

describe('toNpy', () => {
  test('comes back, from views of any strides', () => {
    fc.assert(
      fc.property(anyView(['f32', 'f64', 'f16', 'i32', 'u8', 'c64', 'c128']), (tensor) => {
        const back = fromNpy(toNpy(tensor));
        expect([back.dtype, back.shape]).toEqual([tensor.dtype, tensor.shape]);
        expect(back.data).toEqual(rowMajorArray('test', 'tensor', tensor));
      }),
    );
  });
  test.each(['c-order-f4.npy', 'f2.npy', 'c8.npy'])('makes the bytes of NumPy: %s', (name) => {
    expect(toNpy(fromNpy(bytesOf(name)))).toEqual(bytesOf(name));
  });
  test.each<[string, () => unknown, typeof ShapeError, RegExp]>([
    [
      'bfloat16',
      () => toNpy({ data: new Uint16Array(1), shape: [1], dtype: 'bf16' }, { name: 'h' }),
      DTypeError,
      /toNpy: h: .*NumPy has, got BF16/,
    ],
    ['too little memory', () => toNpy({ data: new Float32Array(3), shape: [4] }), ShapeError, /4 elements/],
    [
      'memory that is gone',
      () => toNpy({ data: detached(new Float32Array(3)), shape: [3] }),
      DisposedError,
      /detached/,
    ],
  ])('refuses %s', (_, call, type, message) => {
    expect(call).toThrow(message);
    expect(call).toThrow(type);
  });
});
