import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { arange, tensor } from '../create.js';
import { getDefaultDevice, setDefaultDevice } from '../device.js';
import { memoryStats } from '../storage.js';
import {
  decodeSafetensors,
  encodeSafetensors,
  openSafetensors,
  type RawTensor,
  readSafetensors,
  writeSafetensors,
} from './index.js';

const fixture = new URL('../../fixtures/every-dtype.safetensors', import.meta.url).pathname;
const before = getDefaultDevice();
let folder: string;

beforeAll(async () => {
  setDefaultDevice('reference');
  folder = await mkdtemp(join(tmpdir(), 'safetensors-'));
});
afterAll(() => setDefaultDevice(before));

describe('a file of the Python library', () => {
  test('is read in every format', async () => {
    const { tensors, metadata } = await readSafetensors(fixture);
    expect(metadata).toEqual({ format: 'pt' });
    const seen = Object.fromEntries(
      [...tensors].map(([name, x]) => [
        name,
        [x.dtype, x.shape, [...(x.dtype.endsWith('16') ? x.cast('f64') : x).toArray()]],
      ]),
    );
    expect(seen).toEqual({
      'n.i64': ['i32', [3], [1, -2147483648, 2147483647]],
      'weight.f64': ['f64', [2, 2], [0.1, -2.5, 1e300, 3]],
      none: ['f32', [0, 3], []],
      scalar: ['f32', [], [2.5]],
      'unicode.é𝄞\uff01': ['f32', [1], [1]],
      'weight.f32': ['f32', [1, 3], [0.1, -2.5, 4].map(Math.fround)],
      'n.i32': ['i32', [1, 1], [-5]],
      'b.bf16': ['bf16', [2], [0.5, -(1 + 98 / 128) * 2 ** 127]],
      'a.f16': ['f16', [3], [0.5, -65504, 2 ** -23]],
      'n.i16': ['i32', [2], [-32768, 7]],
      'n.i8': ['i32', [3], [-128, 127, 3]],
      'n.u8': ['u8', [2], [0, 255]],
      'mask.bool': ['u8', [3], [1, 0, 1]],
    });
  });

  test('is written with the same bytes', async () => {
    const file = await openSafetensors(fixture);
    const raw: [string, RawTensor][] = [];
    for (const name of file.names.reverse()) raw.push([name, await file.read(name)]);
    const path = join(folder, 'same.safetensors');
    await writeSafetensors(path, raw, { metadata: file.metadata });
    await file.close();
    expect(await readFile(path)).toEqual(await readFile(fixture));
  });

  test('is read tensor by tensor, in the format asked for', async () => {
    const file = await openSafetensors(fixture);
    expect(file.info('weight.f32')).toMatchObject({ dtype: 'F32', shape: [1, 3], begin: 64, end: 76 });
    const half = await file.readTensor('a.f16', { dtype: 'f32', requiresGrad: true });
    expect([half.dtype, half.requiresGrad, half.toArray()[0]]).toEqual(['f32', true, 0.5]);
    expect(() => file.info('other')).toThrow(/other.*unknown name/);
    await file.close();
  });
});

describe('our files', () => {
  test('hold views, tensors and typed arrays, and come back', () => {
    const x = arange(12, { dtype: 'f64' }).reshape([3, 4]);
    const bytes = encodeSafetensors({
      view: x.transpose(0, 1).slice(0, 1, 3),
      typed: { data: new Float32Array([1, 2, 3, 4, 5, 6]), shape: [2, 2], strides: [3, 1], offset: 1 },
      b: tensor([1, 2], { dtype: 'bf16' }),
    });
    const { tensors } = decodeSafetensors(bytes);
    expect([...(tensors.get('view')?.toArray() ?? [])]).toEqual([1, 5, 9, 2, 6, 10]);
    expect([...(tensors.get('typed')?.toArray() ?? [])]).toEqual([2, 3, 5, 6]);
    expect([...(tensors.get('b')?.cast('f32').toArray() ?? [])]).toEqual([1, 2]);
  });
  test('do not depend on the order of names', () => {
    const [a, b] = [tensor([1]), tensor(new Float64Array([2]))];
    const metadata = { z: '1', a: '2' };
    const one = encodeSafetensors({ a, b }, { metadata });
    expect(
      encodeSafetensors(
        new Map([
          ['b', b],
          ['a', a],
        ]),
        { metadata: { a: '2', z: '1' } },
      ),
    ).toEqual(one);
    expect(one.length % 8).toBe(4);
  });
  test('may be empty', () => {
    expect(decodeSafetensors(encodeSafetensors({})).tensors.size).toBe(0);
  });
  test('refuse complex formats, equal names and the reserved one', () => {
    const complex = { data: new Float32Array(2), shape: [1], dtype: 'c64' as const };
    expect(() => encodeSafetensors({ complex })).toThrow(/complex.*last axis of 2/);
    expect(() =>
      encodeSafetensors([
        ['a', tensor(1)],
        ['a', tensor(2)],
      ]),
    ).toThrow(/each name once/);
    expect(() => encodeSafetensors({ __metadata__: tensor(1) })).toThrow(/reserved/);
  });
});

/** A file around a header written by hand. */
function file(header: string | Uint8Array, dataBytes = 0, length?: bigint): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}
const entry = (begin: number, end: number, shape = [(end - begin) / 4], dtype = 'F32') =>
  JSON.stringify({ dtype, shape, data_offsets: [begin, end] });

describe('damaged files are refused', () => {
  test.each([
    ['nothing', new Uint8Array(0), /at least 8 bytes/],
    ['only a length', file(''), /2 to 0 bytes/],
    ['a header longer than the file', file('{}', 0, 3n), /2 to 2 bytes.*got 3/],
    ['a header longer than allowed', file('{}', 0, 1n << 60n), /at most 100000000/],
    ['no object', file('[]'), /starts with '\{'/],
    ['bad JSON', file('{"a":}'), /in JSON/],
    ['other bytes than UTF-8', file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)), /UTF-8/],
    ['a byte order mark', file('\ufeff{}'), /starts with/],
    ['equal keys', file(`{"a":${entry(0, 4)},"a":${entry(0, 4)}}`, 4), /"a" twice/],
    ['equal keys, one escaped', file(`{"a":${entry(0, 4)},"\\u0061":${entry(0, 4)}}`, 4), /"a" twice/],
    [
      'equal keys inside',
      file('{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4),
      /"dtype" twice/,
    ],
    ['an unknown dtype', file(`{"a":${entry(0, 4, [1], 'F8_E4M3')}}`, 4), /a: expected a dtype of.*F8_E4M3/],
    ['a size that does not fit', file(`{"a":${entry(0, 8, [1])}}`, 8), /4 bytes for F32 \(1\), got 8/],
    ['a negative size', file(`{"a":${entry(0, 4, [-1])}}`, 4), /whole sizes/],
    ['a huge size', file(`{"a":${entry(0, 4, [1e300])}}`, 4), /whole sizes|bytes/],
    ['offsets the wrong way', file(`{"a":${entry(4, 0, [1])}}`, 4), /got -4/],
    [
      'an overlap',
      file(`{"a":${entry(0, 8)},"b":${entry(4, 12)}}`, 12),
      /b: expected data from byte 8.*overlaps/,
    ],
    ['a hole', file(`{"a":${entry(0, 4)},"b":${entry(8, 12)}}`, 12), /hole/],
    ['a hole before the first', file(`{"a":${entry(4, 8)}}`, 8), /hole/],
    ['bytes left over', file(`{"a":${entry(0, 4)}}`, 5), /4 bytes of data, got 5/],
    ['too few bytes', file(`{"a":${entry(0, 4)}}`, 3), /truncated/],
    [
      'an unknown field',
      file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}', 4),
      /data_offsets, dtype, shape/,
    ],
    ['a missing field', file('{"a":{"dtype":"F32","shape":[1]}}', 4), /data_offsets/],
    ['an entry that is no object', file('{"a":null}'), /data_offsets/],
    ['metadata that is not strings', file('{"__metadata__":{"a":1}}'), /strings to strings/],
    ['three offsets', file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}', 4), /\[begin, end\]/],
  ])('%s', (_, bytes, message) => {
    const live = memoryStats().buffers;
    expect(() => decodeSafetensors(bytes)).toThrow(message);
    expect(memoryStats().buffers).toBe(live);
  });

  test('cut off at any byte', () => {
    const whole = readFileSync(fixture);
    for (let length = 0; length < whole.length; length += 13) {
      expect(() => decodeSafetensors(whole.subarray(0, length))).toThrow(/bytes|truncated/);
    }
  });
  test('trailing spaces in the header are allowed', () => {
    expect(decodeSafetensors(file(`{"a":${entry(0, 4)}}   `, 4)).tensors.size).toBe(1);
  });
  test('integers beyond 32 bits are refused as tensors and readable raw', async () => {
    const path = join(folder, 'big.safetensors');
    await writeSafetensors(path, [
      ['n', { dtype: 'I64', shape: [2], data: BigInt64Array.of(1n, 1n << 40n) }],
    ]);
    const live = memoryStats().buffers;
    await expect(readSafetensors(path)).rejects.toThrow(/n\[1\].*32 bits.*1099511627776/);
    expect(memoryStats().buffers).toBe(live);
    const opened = await openSafetensors(path);
    expect((await opened.read('n')).data).toEqual(BigInt64Array.of(1n, 1n << 40n));
    await opened.close();
  });
  test('a missing file, and one that shrinks while it is open', async () => {
    await expect(readSafetensors(join(folder, 'none'))).rejects.toThrow(/none.*no such file/);
    const path = join(folder, 'shrinks.safetensors');
    await writeSafetensors(path, { a: tensor([1, 2, 3]) });
    const opened = await openSafetensors(path);
    await writeFile(path, (await readFile(path)).subarray(0, 70));
    await expect(opened.readTensor('a')).rejects.toThrow(/truncated/);
    await opened.close();
  });
});
