import { readFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Addon } from '../src/addon.js';
import { createDeviceBuffer, DisposedError, selectiveScan } from '../src/index.js';
import { loadAddon } from '../src/loader.js';
import { sizeClass } from '../src/memory-pool.js';
import { cpu, describeNative } from './support.js';

const addon = (): Addon => loadAddon().addon as Addon;
const used = () => addon().memoryStats()[0];
const residentBytes = () => Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[1]) * 4096;

test('size classes waste little and never too little', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 40 }), (bytes) => {
      const size = sizeClass(bytes);
      expect(size).toBeGreaterThanOrEqual(bytes);
      expect(size).toBeLessThan(bytes * 1.125 + 64);
      expect(size % 64).toBe(0);
      expect(sizeClass(size)).toBe(size);
    }),
  );
});

describeNative('buffers of the kernels', () => {
  test('poison shows what nobody wrote', () => {
    const buffer = cpu().allocate('f32', 100);
    expect((buffer.data as Float32Array).every(Number.isNaN)).toBe(true);
    buffer.dispose();
  });

  test('every format, aligned to 64 bytes within its ArrayBuffer', () => {
    for (const [dtype, kind] of [
      ['f32', Float32Array],
      ['f64', Float64Array],
      ['f16', Uint16Array],
      ['bf16', Uint16Array],
      ['i32', Int32Array],
      ['u8', Uint8Array],
      ['c64', Float32Array],
      ['c128', Float64Array],
    ] as const) {
      const buffer = cpu().allocate(dtype, 7);
      expect(buffer.data).toBeInstanceOf(kind);
      expect([buffer.length, buffer.data?.length, buffer.device, buffer.dtype]).toEqual([7, 7, 'cpu', dtype]);
      buffer.dispose();
    }
  });

  test('disposed memory serves the next request of its size', () => {
    const first = cpu().allocate('f32', 1000);
    const memory = first.data?.buffer;
    first.dispose();
    first.dispose();
    expect(first.disposed).toBe(true);
    expect(() => first.data).toThrow(DisposedError);
    const second = cpu().allocate('i32', 990);
    expect(second.data?.buffer).toBe(memory);
    expect(second.data).toHaveLength(990);
    second.dispose();
  });

  test('two live buffers never share memory', () => {
    const buffers = Array.from({ length: 50 }, (_, i) => cpu().allocate('f32', 100 + (i % 3)));
    expect(new Set(buffers.map((buffer) => buffer.data?.buffer)).size).toBe(50);
    for (const buffer of buffers) buffer.dispose();
  });

  test('upload and download copy, and refuse what does not fit', () => {
    const kernels = cpu();
    const buffer = kernels.allocate('f32', 10);
    kernels.upload(
      buffer,
      Float32Array.from({ length: 10 }, (_, i) => i),
    );
    kernels.upload(buffer, Float32Array.of(-1, -2), 3);
    const copy = kernels.download(buffer, 2, 4);
    expect(copy).toEqual(Float32Array.of(2, -1, -2, 5));
    copy.fill(0);
    expect(buffer.data?.[3]).toBe(-1);
    expect(() => kernels.upload(buffer, Float32Array.of(1, 2), 9)).toThrow(/range inside 10/);
    expect(() => kernels.upload(buffer, Float64Array.of(1))).toThrow(
      /Float32Array for f32, got Float64Array/,
    );
    expect(() => kernels.download(buffer, 0, 11)).toThrow(/range inside 10/);
    expect(() => kernels.download(buffer, -1, 1)).toThrow(/range inside 10/);
    buffer.dispose();
    expect(() => kernels.download(buffer)).toThrow(DisposedError);
    expect(() => kernels.allocate('f32', -1)).toThrow(/length: expected an integer/);
    expect(() => kernels.allocate('f32', 1.5)).toThrow(/length: expected an integer/);
    expect(() => kernels.allocate('f64', 2 ** 45)).toThrow(
      expect.objectContaining({ code: 'ERR_OUT_OF_MEMORY' }),
    );
  });

  test('memory is flat over 200,000 allocations in one turn of the event loop', () => {
    const kernels = cpu();
    const round = (count: number) => {
      for (let i = 0; i < count; i++) {
        const a = kernels.allocate('f32', 1000 + (i % 7) * 100);
        const b = kernels.allocate('f32', 50_000);
        a.dispose();
        b.dispose();
      }
    };
    round(1000);
    const before = residentBytes();
    round(100_000);
    expect(residentBytes() - before).toBeLessThan(32e6);
  });

  test('changing sizes do not collect memory', () => {
    const kernels = cpu();
    kernels.trim();
    const before = residentBytes();
    for (let i = 0; i < 3000; i++) {
      const buffer = kernels.allocate('f32', 10_000 + i * 997);
      buffer.data?.fill(1);
      buffer.dispose();
    }
    expect(residentBytes() - before).toBeLessThan(250e6);
    kernels.trim();
  });

  test('trim gives free memory back', () => {
    const kernels = cpu();
    kernels.trim();
    const before = used();
    const buffers = Array.from({ length: 10 }, () => kernels.allocate('f32', 1e6));
    for (const buffer of buffers) buffer.dispose();
    expect(used() - before).toBeGreaterThan(39e6);
    kernels.trim();
    expect(used()).toBe(before);
    expect(addon().memoryStats()[1]).toBe(0);
  });

  test('an ArrayBuffer that somebody detached is not used again', () => {
    const kernels = cpu();
    const buffer = kernels.allocate('f32', 77_777);
    const memory = buffer.data?.buffer as ArrayBuffer;
    expect(addon().release(memory)).toBe(true);
    expect(addon().release(memory)).toBe(false);
    buffer.dispose();
    const next = kernels.allocate('f32', 77_777);
    expect(next.data).toHaveLength(77_777);
    next.data?.fill(1);
    next.dispose();
  });
});

describeNative('createDeviceBuffer', () => {
  test('holds a copy of its source', () => {
    const source = Float32Array.of(1, 2, 3);
    const buffer = createDeviceBuffer('f32', source);
    source[0] = 9;
    expect(buffer.data).toEqual(Float32Array.of(1, 2, 3));
    buffer.dispose();
  });

  test('dispose detaches every view at once and gives the memory back', () => {
    const before = used();
    const buffer = createDeviceBuffer('f32', 1_000_000);
    const view = buffer.data as Float32Array;
    const part = view.subarray(10, 20);
    expect(used() - before).toBeGreaterThanOrEqual(4e6);
    buffer.dispose();
    expect([view.length, part.length]).toEqual([0, 0]);
    expect(used()).toBe(before);
    expect(() => buffer.data).toThrow(DisposedError);
  });

  test('Symbol.dispose and a second dispose', () => {
    const buffer = createDeviceBuffer('f64', 3);
    buffer[Symbol.dispose]();
    buffer.dispose();
    expect(buffer.disposed).toBe(true);
  });

  test('refuses a source of another format', () => {
    expect(() => createDeviceBuffer('f32', new Float64Array(3))).toThrow(/expected an array of f32/);
    expect(() => createDeviceBuffer('f32', 'x' as never)).toThrow(/typed array/);
    expect(() => createDeviceBuffer('f32', -1)).toThrow(/integer/);
  });

  test('is refused as an argument once disposed', () => {
    const buffer = createDeviceBuffer('f32', 6);
    const tensor = { data: buffer, shape: [1, 3, 2] };
    const A = { data: Float32Array.of(-1, -1), shape: [2, 1] };
    const B = { data: Float32Array.of(1, 1, 1), shape: [1, 3, 1] };
    buffer.data?.fill(0.5);
    expect(selectiveScan({ u: tensor, delta: tensor, A, B, C: B }).out.data.every(Number.isFinite)).toBe(
      true,
    );
    buffer.dispose();
    expect(() => selectiveScan({ u: tensor, delta: tensor, A, B, C: B })).toThrow(DisposedError);
  });

  test('memory is flat over 100,000 buffers in one turn of the event loop', () => {
    const before = residentBytes();
    for (let i = 0; i < 100_000; i++) createDeviceBuffer('f32', 10_000).dispose();
    // 100,000 blocks would be 4 GB; what grows is the engine's bookkeeping until the loop turns.
    expect(residentBytes() - before).toBeLessThan(200e6);
  });

  test('counts as external memory, and goes with the garbage collector', async () => {
    const before = process.memoryUsage().external;
    let buffer: unknown = createDeviceBuffer('f32', 10_000_000);
    expect(process.memoryUsage().external - before).toBeGreaterThan(39e6);
    expect(buffer).toBeDefined();
    buffer = undefined;
    const start = used();
    for (let i = 0; i < 200 && used() >= start; i++) {
      // Pressure: external memory makes the engine collect.
      createDeviceBuffer('f32', 5_000_000);
      await nextTurn();
    }
    expect(used()).toBeLessThan(start + 100 * 20e6);
  });
});
