import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DisposedError, DTypeError, FormatError, ShapeError } from '../errors.js';
import { loadContiguous } from '../reference/views.js';
import type { TensorLike } from '../tensor-like.js';
import { anyView, detached } from '../testing/index.js';
import { decodeRawNpy, encodeNpy, parseNpy, type RawTensor } from './index.js';

const bytesOf = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../fixtures/npy/${name}`, import.meta.url)));
const show = ({ dtype, shape, data }: RawTensor) => [dtype, shape, [...data]];
const count = (length: number) => Array.from({ length }, (_, i) => i);

describe('files of NumPy', () => {
  const complex = count(6).flatMap((i) => [i / 2, 0 - i]);
  test.each([
    ['c-order-f4.npy', ['F32', [2, 3], [0, 0.25, 0.5, 0.75, 1, 1.25]]],
    ['fortran-f8.npy', ['F64', [2, 3, 4], count(24)]],
    ['f2.npy', ['F16', [2], [0x3800, 0xc000]]],
    ['i8.npy', ['I64', [1, 2], [-1n, 2147483647n]]],
    ['too-big-i8.npy', ['I64', [1], [2147483648n]]],
    ['scalar-i4.npy', ['I32', [], [7]]],
    ['bool.npy', ['BOOL', [2], [1, 0]]],
    ['empty-f4.npy', ['F32', [0, 3], []]],
    ['version2.npy', ['F32', [3], [0, 1, 2]]],
    ['version3.npy', ['F32', [3], [0, 1, 2]]],
    ['big-endian.npy', ['F32', [1], [1]]],
    ['fortran-big-endian-i2.npy', ['I16', [2, 3], [-3, -2, -1, 0, 1, 2]]],
    ['c8.npy', ['F32', [2, 3, 2], complex]],
    ['fortran-c16.npy', ['F64', [2, 3, 2], complex]],
  ])('%s', (name, wanted) => {
    expect(show(decodeRawNpy(bytesOf(name)))).toEqual(wanted);
  });

  test('numbers lie in memory of their own, so that the file may go', () => {
    const bytes = bytesOf('c-order-f4.npy');
    const { data } = decodeRawNpy(bytes);
    bytes.fill(255);
    expect(data[1]).toBe(0.25);
    expect(data.byteOffset).toBe(0);
  });

  test('shared memory is read too', () => {
    const bytes = bytesOf('c-order-f4.npy');
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    expect(decodeRawNpy(shared)).toEqual(decodeRawNpy(bytes));
  });
});

describe('our files', () => {
  test.each(['c-order-f4.npy', 'scalar-i4.npy', 'bool.npy', 'f2.npy', 'i8.npy', 'empty-f4.npy'])(
    'are those of NumPy, byte by byte: %s',
    (name) => {
      expect(encodeNpy(decodeRawNpy(bytesOf(name)))).toEqual(bytesOf(name));
    },
  );
  test('complex ones too, from pairs with a tag', () => {
    const { shape, data } = decodeRawNpy(bytesOf('c8.npy'));
    const pairs = { shape, data: data as Float32Array, dtype: 'c64' } as const;
    expect(encodeNpy(pairs)).toEqual(bytesOf('c8.npy'));
  });

  test('come back from views of any strides', () => {
    fc.assert(
      fc.property(anyView(['f32', 'f64', 'f16', 'i32', 'u8', 'c64', 'c128']), (tensor) => {
        const back = decodeRawNpy(encodeNpy(tensor));
        expect(back.shape).toEqual(tensor.shape);
        expect(back.data).toEqual(loadContiguous('test', 'tensor', tensor));
      }),
    );
  });

  const data = new Float32Array(6);
  test.each<[string, TensorLike | RawTensor, unknown, RegExp]>([
    [
      'bfloat16',
      { data: new Uint16Array(1), shape: [1], dtype: 'bf16' },
      DTypeError,
      /NumPy has, got BF16.*cast/,
    ],
    ['complex numbers without pairs', { data, shape: [2, 3], dtype: 'c64' }, ShapeError, /last axis of 2/],
    ['more entries than memory', { data, shape: [7] }, ShapeError, /7 elements/],
    ['negative sizes', { data, shape: [-1] }, ShapeError, /0 or more/],
    ['sizes that are no number', { data, shape: [Number.NaN] }, ShapeError, /0 or more/],
    ['too many axes', { data, shape: new Array(65).fill(1) }, ShapeError, /64 axes/],
    ['raw numbers of another count', { data, shape: [7], dtype: 'F32' }, ShapeError, /for 6 numbers/],
    ['raw numbers of another type', { data, shape: [6], dtype: 'F64' }, DTypeError, /Float64Array for F64/],
    ['memory that is gone', { data: detached(new Float32Array(6)), shape: [6] }, DisposedError, /detached/],
  ])('refuse %s', (_, tensor, type, message) => {
    const refused = () => encodeNpy(tensor);
    expect(refused).toThrow(message);
    expect(refused).toThrow(type as typeof ShapeError);
  });
});

/** A version 1 file around a header written by hand. */
function file(header: string, dataBytes: number): Uint8Array {
  const bytes = new Uint8Array(10 + header.length + dataBytes);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  bytes.set(new TextEncoder().encode(header), 10);
  return bytes;
}

describe('damaged files are refused', () => {
  const good = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }";
  test('the pattern of these tests is sound', () => {
    expect(show(decodeRawNpy(file(good, 4)))).toEqual(['F32', [1], [0]]);
    expect(show(decodeRawNpy(file('{"shape":(),"descr":"<f4","fortran_order":False}', 4)))).toEqual([
      'F32',
      [],
      [0],
    ]);
  });
  const described = (descr: string) =>
    file(`{'descr': '${descr}', 'fortran_order': False, 'shape': (1,), }`, 4);
  test.each([
    ['other magic', new Uint8Array(20), /NUMPY/],
    ['no header', file('', 0).subarray(0, 9), /NUMPY/],
    ['a later version', file(good, 4).with(6, 9), /version.*got 9\.0/],
    ['a header beyond the end', file(good, 0).subarray(0, 40), /header of.*truncated/],
    ['too few bytes', file(good, 3), /4 bytes of data, got 3.*truncated/],
    ['too many bytes', file(good, 5), /4 bytes of data, got 5/],
    [
      'a structured format',
      file("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 4),
      /structured/,
    ],
    ['objects', described('|O'), /descr of.*got \|O/],
    ['numbers of several bytes without an order', described('|f4'), /descr of.*got \|f4/],
    ['bytes with an order', described('<u1'), /descr of.*got <u1/],
    ['names of Object.prototype', described('<constructor'), /descr of.*got <constructor/],
    ['a missing key', file("{'descr': '<f4', 'shape': (1,), }", 4), /fortran_order/],
    ['an unknown key', file("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", 4), /header/],
    [
      'a key twice',
      file("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 4),
      /'descr' twice/,
    ],
    ['code', file("{'descr': exit(), 'fortran_order': False, 'shape': (1,)}", 4), /header/],
    ['a negative size', file("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", 4), /header/],
    [
      'sizes beyond all memory',
      file(
        "{'descr': '<f4', 'fortran_order': True, 'shape': (4503599627370496, 4503599627370496, 65536)}",
        4,
      ),
      /bytes of data/,
    ],
    ['text after the dict', file(`${good} 1`, 4), /header/],
  ])('%s', (_, bytes, message) => {
    expect(() => decodeRawNpy(bytes)).toThrow(message);
    expect(() => parseNpy(bytes, 'a.npy')).toThrow(FormatError);
  });
  test('what is no array of bytes', () => {
    expect(() => decodeRawNpy('abc' as unknown as Uint8Array)).toThrow(/a Uint8Array, got string/);
    expect(() => decodeRawNpy(new ArrayBuffer(99) as unknown as Uint8Array)).toThrow(/a Uint8Array/);
  });
  test('any bytes in the header: refused or read, nothing else', () => {
    const whole = bytesOf('c-order-f4.npy');
    fc.assert(
      fc.property(fc.nat(127), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = whole.with(at, (whole[at] as number) ^ flip);
        try {
          expect(decodeRawNpy(bytes).data.byteLength).toBe(24);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
    );
  });
});
