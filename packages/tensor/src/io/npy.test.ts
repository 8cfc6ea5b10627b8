import { readFileSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { arange, tensor } from '../create.js';
import type { Tensor } from '../tensor.js';
import {
  decodeNpy,
  decodeNpz,
  decodeRawNpy,
  encodeNpy,
  encodeNpz,
  readNpy,
  readNpz,
  writeNpy,
  writeNpz,
} from './index.js';

// The .npy files of NumPy lie with the codec, in ssd-core.
const folders = { npy: '../../../ssd-core/fixtures/npy', npz: '../../fixtures' };
const fixture = (name: string) =>
  new URL(`${folders[name.endsWith('.npz') ? 'npz' : 'npy']}/${name}`, import.meta.url).pathname;
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
    ['big-endian.npy', ['f32', [1], [1]]],
    ['fortran-big-endian-i2.npy', ['i32', [2, 3], [-3, -2, -1, 0, 1, 2]]],
    ['c8.npy', ['f32', [2, 3, 2], [0, 0, 0.5, -1, 1, -2, 1.5, -3, 2, -4, 2.5, -5]]],
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
    expect(encodeNpy(decodeRawNpy(bytesOf('f2.npy')))).toEqual(bytesOf('f2.npy'));
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

describe('damaged files are refused', () => {
  test('64-bit integers that do not fit', () => {
    expect(() => decodeNpy(bytesOf('too-big-i8.npy'), { device })).toThrow(/\[0\].*32 bits.*2147483648/);
  });
  test('bytes that are missing, by the name of the file', () => {
    const cut = bytesOf('c-order-f4.npy').subarray(0, 140);
    expect(() => decodeNpy(cut, { device }, 'a.npy')).toThrow(/readNpy: a\.npy: .*truncated/);
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
