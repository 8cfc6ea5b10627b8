import { readFileSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { arange, tensor } from '../create.js';
import type { Tensor } from '../tensor.js';
import { decodeNpy, decodeNpz, encodeNpy, encodeNpz, readNpy, readNpz, writeNpy, writeNpz } from './index.js';
import { decodeRawNpy } from './npy.js';

const fixture = (name: string) => new URL(`../../fixtures/${name}`, import.meta.url).pathname;
const bytesOf = (name: string) => new Uint8Array(readFileSync(fixture(name)));
const device = 'reference';
const show = (x: Tensor | undefined) => [x?.dtype, x?.shape, [...(x?.toArray() ?? [])]];
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'npy-'));
});

describe('files of NumPy', () => {
  test.each([
    ['c-order-f4.npy', ['f32', [2, 3], [0, 0.25, 0.5, 0.75, 1, 1.25]]],
    ['fortran-f8.npy', ['f64', [2, 3, 4], Array.from({ length: 24 }, (_, i) => i)]],
    ['i8.npy', ['i32', [1, 2], [-1, 2147483647]]],
    ['scalar-i4.npy', ['i32', [], [7]]],
    ['bool.npy', ['u8', [2], [1, 0]]],
    ['version2.npy', ['f32', [3], [0, 1, 2]]],
    ['version3.npy', ['f32', [3], [0, 1, 2]]],
  ])('%s', async (name, wanted) => {
    expect(show(await readNpy(fixture(name), { device }))).toEqual(wanted);
  });
  test('half precision, converted', async () => {
    expect(show(await readNpy(fixture('f2.npy'), { device, dtype: 'f32' }))).toEqual(['f32', [2], [0.5, -2]]);
  });
  test.each(['stored.npz', 'deflated.npz'])('%s', async (name) => {
    const arrays = await readNpz(fixture(name), { device });
    if (name === 'stored.npz') {
      expect([...arrays.keys()]).toEqual(['a', 'b']);
      expect(show(arrays.get('b'))).toEqual(['f64', [2, 2], [0, 1, 2, 3]]);
    } else {
      expect(show(arrays.get('layers.0.weight'))).toEqual(['i32', [5], [0, 1, 2, 3, 4]]);
      expect(new Set(arrays.get('a')?.toArray())).toEqual(new Set([3]));
    }
  });
});

describe('our files', () => {
  test('are those of NumPy, byte by byte', async () => {
    for (const name of ['c-order-f4.npy', 'scalar-i4.npy', 'bool.npy', 'f2.npy']) {
      expect(new Uint8Array(encodeNpy(decodeRawNpy(bytesOf(name))))).toEqual(bytesOf(name));
    }
    const path = join(folder, 'x.npy');
    await writeNpy(path, await readNpy(fixture('c-order-f4.npy'), { device }));
    expect(new Uint8Array(await readFile(path))).toEqual(bytesOf('c-order-f4.npy'));
  });
  test('hold views, come back, and are the same every time', async () => {
    const x = arange(12, { device }).reshape([3, 4]).transpose(0, 1);
    for (const compress of [false, true]) {
      const path = join(folder, `${compress}.npz`);
      await writeNpz(path, { x, 'a.b': tensor([1], { device }) }, { compress });
      const back = await readNpz(path, { device });
      expect(show(back.get('x'))).toEqual(show(x));
      expect(encodeNpz({ x, 'a.b': tensor([1], { device }) }, { compress })).toEqual(await readFile(path));
    }
  });
  test('refuse formats that NumPy lacks', () => {
    expect(() => encodeNpy(tensor([1], { dtype: 'bf16', device }))).toThrow(/BF16.*cast/);
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
    expect(show(decodeNpy(file(good, 4), { device }))).toEqual(['f32', [1], [0]]);
    expect(show(decodeNpy(file('{"shape":(),"descr":"<f4","fortran_order":False}', 4), { device }))).toEqual([
      'f32',
      [],
      [0],
    ]);
  });
  test.each([
    ['other magic', new Uint8Array(20), /NUMPY/],
    ['no header', file('', 0).subarray(0, 9), /NUMPY/],
    ['a later version', file(good, 4).with(6, 9), /version.*got 9\.0/],
    ['a header beyond the end', file(good, 0).subarray(0, 40), /header of.*truncated/],
    ['too few bytes', file(good, 3), /4 bytes of data, got 3.*truncated/],
    ['too many bytes', file(good, 5), /4 bytes of data, got 5/],
    ['big-endian numbers', bytesOf('big-endian.npy'), /descr of.*got >f4/],
    [
      'a structured format',
      file("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 4),
      /structured/,
    ],
    ['objects', file("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", 4), /\|O/],
    ['a missing key', file("{'descr': '<f4', 'shape': (1,), }", 4), /fortran_order/],
    ['an unknown key', file("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", 4), /header/],
    [
      'a key twice',
      file("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 4),
      /'descr' twice/,
    ],
    ['code', file("{'descr': exit(), 'fortran_order': False, 'shape': (1,)}", 4), /header/],
    ['a negative size', file("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", 4), /header/],
    ['text after the dict', file(`${good} 1`, 4), /header/],
    ['64-bit integers that do not fit', bytesOf('too-big-i8.npy'), /\[0\].*32 bits.*2147483648/],
  ])('%s', (_, bytes, message) => {
    expect(() => decodeNpy(bytes, { device })).toThrow(message);
  });

  test('archives with flipped bytes, cut off, or of another kind', () => {
    const whole = bytesOf('deflated.npz');
    for (let length = 0; length < whole.length; length += 7) {
      expect(() => decodeNpz(whole.subarray(0, length), { device })).toThrow(/ZIP|directory/);
    }
    for (const at of [60, 90, 120]) {
      expect(() => decodeNpz(whole.with(at, (whole[at] as number) ^ 0x55), { device })).toThrow(/readNpz/);
    }
    const stored = bytesOf('stored.npz');
    const inData = stored.length - 200;
    expect(() => decodeNpz(stored.with(inData, (stored[inData] as number) ^ 1), { device })).toThrow(
      /checksum|header|NUMPY/,
    );
    expect(() => decodeNpz(new Uint8Array(100), { device })).toThrow(/ZIP archive/);
  });
});
