/**
 * What JavaScript may pass to the addon without harm: the functions are called as a stranger would, past all checks of
 * the TypeScript side. Every such call must answer a refusal code; none may crash the process.
 */
import { randomSource } from '@statespace/ssd-core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Addon, NativeArray } from '../src/addon.js';
import { refusal, refusalReason } from '../src/addon-error.js';
import { selectiveScan } from '../src/index.js';
import { loadAddon } from '../src/loader.js';
import { cpu, describeNative, nanOutput, narrow } from './support.js';

const addon = (): Addon => loadAddon().addon as Addon;
const numbers = (...values: number[]) => Float64Array.from([...values, 0, 0, 0, 0, 0, 0, 0, 0]);
const floats = (length: number) => new Float32Array(length).fill(1);

/** unary exp on n contiguous elements. */
const unary = (values: Float64Array, ...arrays: unknown[]) =>
  addon().unary(values, ...(arrays as NativeArray[]));
const expOf = (length: number, offset = 0) => numbers(6, 1, length, 1, offset, 0);

describeNative('the addon called directly', () => {
  test('accepts what fits', () => {
    expect(unary(expOf(8), floats(8), floats(8))).toBe(0);
    expect(unary(expOf(0), floats(0), floats(0))).toBe(0);
  });

  test.each<[string, number, () => number]>([
    ['nothing', refusal.wrongType, () => (addon().unary as unknown as () => number)()],
    ['numbers of the wrong kind', refusal.wrongType, () => unary(floats(9) as never, floats(8), floats(8))],
    ['no numbers', refusal.wrongType, () => unary(new Float64Array(0), floats(8), floats(8))],
    ['too few numbers', refusal.badNumber, () => unary(Float64Array.of(6, 1, 8), floats(8), floats(8))],
    ['a missing array', refusal.missing, () => unary(expOf(8), floats(8))],
    ['null', refusal.missing, () => unary(expOf(8), null, floats(8))],
    ['a number for an array', refusal.wrongType, () => unary(expOf(8), 7, floats(8))],
    ['a plain list', refusal.wrongType, () => unary(expOf(8), [1, 2], floats(8))],
    ['a proxy', refusal.wrongType, () => unary(expOf(8), new Proxy(floats(8), {}), floats(8))],
    ['an ArrayBuffer', refusal.wrongType, () => unary(expOf(8), new ArrayBuffer(64), floats(8))],
    ['a DataView', refusal.wrongType, () => unary(expOf(8), new DataView(new ArrayBuffer(64)), floats(8))],
    ['doubles', refusal.wrongType, () => unary(expOf(8), new Float64Array(8), floats(8))],
    ['an array too short', refusal.outOfRange, () => unary(expOf(8), floats(7), floats(8))],
    ['an output too short', refusal.outOfRange, () => unary(expOf(8), floats(8), floats(7))],
    ['an offset past the end', refusal.outOfRange, () => unary(expOf(8, 1), floats(8), floats(8))],
    ['a negative offset', refusal.outOfRange, () => unary(expOf(8, -1), floats(8), floats(8))],
    [
      'a stride past the end',
      refusal.outOfRange,
      () => unary(numbers(6, 1, 8, 2, 0, 0), floats(8), floats(8)),
    ],
    [
      'a stride before the start',
      refusal.outOfRange,
      () => unary(numbers(6, 1, 8, -1, 6, 0), floats(8), floats(8)),
    ],
    [
      'sizes whose product overflows',
      refusal.outOfRange,
      () => unary(numbers(6, 3, 2 ** 40, 2 ** 40, 0, 1, 1, 1, 0, 0), floats(8), floats(8)),
    ],
    [
      'strides whose product overflows',
      refusal.outOfRange,
      () => unary(numbers(6, 1, 2 ** 20, 2 ** 52, 0, 0), floats(8), floats(2 ** 20)),
    ],
    ['a size that is no integer', refusal.badNumber, () => unary(expOf(7.5), floats(8), floats(8))],
    ['a negative size', refusal.badNumber, () => unary(expOf(-1), floats(8), floats(8))],
    ['NaN', refusal.badNumber, () => unary(expOf(Number.NaN), floats(8), floats(8))],
    ['Infinity', refusal.badNumber, () => unary(expOf(Number.POSITIVE_INFINITY), floats(8), floats(8))],
    [
      'nine axes',
      refusal.badNumber,
      () => unary(numbers(6, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1), floats(8), floats(8)),
    ],
    ['an unknown op', refusal.badNumber, () => unary(numbers(99, 1, 8, 1, 0, 0), floats(8), floats(8))],
  ])('%s', (_, reason, call) => {
    expect(refusalReason(call())).toBe(reason);
  });

  test('detached, shrunk and out-of-bounds arrays', () => {
    const detached = floats(8);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    expect(refusalReason(unary(expOf(8), detached, floats(8)))).toBe(refusal.outOfRange);
    expect(refusalReason(unary(expOf(8), floats(8), detached))).toBe(refusal.outOfRange);
    const Resizable = ArrayBuffer as unknown as new (
      length: number,
      options: { maxByteLength: number },
    ) => ArrayBuffer & { resize(length: number): void };
    const buffer = new Resizable(64, { maxByteLength: 128 });
    const tracking = new Float32Array(buffer);
    const fixed = new Float32Array(buffer, 0, 16);
    expect(unary(expOf(16), tracking, fixed.slice())).toBe(0);
    buffer.resize(32);
    expect(unary(expOf(8), tracking, floats(8))).toBe(0);
    expect(refusalReason(unary(expOf(16), tracking, floats(16)))).toBe(refusal.outOfRange);
    expect(refusalReason(unary(expOf(8), fixed, floats(8)))).toBe(refusal.outOfRange);
  });

  test('memory that overlaps', () => {
    const memory = floats(16);
    expect(unary(expOf(8), memory, memory)).toBe(0);
    expect(refusalReason(unary(expOf(8), memory, memory.subarray(1)))).toBe(refusal.overlap);
    expect(refusalReason(unary(numbers(6, 1, 8, -1, 7, 0), memory, memory))).toBe(refusal.overlap);
    const sum = (a: Float32Array, b: Float32Array, out: Float32Array) =>
      addon().binary(numbers(0, 1, 8, 1, 0, 1, 0, 0), a, b, out);
    expect(sum(memory, memory, memory)).toBe(0);
    expect(refusalReason(sum(memory, memory.subarray(2), memory))).toBe(refusal.overlap);
  });

  test('shared memory works', () => {
    const x = new Float32Array(new SharedArrayBuffer(32)).fill(1);
    const out = new Float32Array(new SharedArrayBuffer(32));
    expect(unary(expOf(8), x, out)).toBe(0);
    expect(out[7]).toBeCloseTo(Math.E, 5);
  });

  test('a getter that detaches an array in the middle of a call', () => {
    const grad = floats(4);
    const grads = [grad, grad];
    const values = numbers(2, 1, 4, 4, 0, 0, 0, 0);
    Object.defineProperty(grads, 1, {
      get() {
        structuredClone(grad.buffer, { transfer: [grad.buffer] });
        structuredClone(values.buffer, { transfer: [values.buffer] });
        return floats(4);
      },
    });
    expect(addon().gradNorm(values, grads, floats(1), floats(1))).not.toBe(0);
    const thrower = [grad];
    Object.defineProperty(thrower, 0, {
      get() {
        throw new Error('from a getter');
      },
    });
    expect(() => addon().gradNorm(numbers(1, 1, 4, 0, 0, 0), thrower, floats(1), floats(1))).toThrow(
      'from a getter',
    );
  });

  test('indices out of range reach no kernel', () => {
    const gather = (id: number) =>
      addon().embedding(numbers(4, 2, 1, 0, 0, 0), floats(8), Int32Array.of(id), floats(2));
    expect(gather(3)).toBe(0);
    for (const id of [4, -1, 2 ** 31 - 1, -(2 ** 31)])
      expect(refusalReason(gather(id))).toBe(refusal.badNumber);
  });

  test('another format where a kernel reads x in place, one channel or many', () => {
    const step = (real: number, dtype: number, x: NativeArray) => {
      const zeros = (count: number) => (real === 0 ? floats(count) : new Float64Array(count));
      return addon().causalConv1dUpdate(
        numbers(real, 1, 1, 1, 1, 0, 1, 0, dtype, 1, 1, 0, 1, 0),
        x,
        zeros(0),
        zeros(1),
        undefined,
        undefined,
        undefined,
        zeros(1),
      );
    };
    expect(step(0, 0, floats(1))).toBe(0);
    expect(step(1, 1, new Float64Array(1))).toBe(0);
    expect(refusalReason(step(0, 2, new Uint16Array(1)))).toBe(refusal.wrongType);
    expect(refusalReason(step(0, 1, new Float64Array(1)))).toBe(refusal.wrongType);
    expect(refusalReason(step(1, 0, floats(1)))).toBe(refusal.wrongType);
  });

  test('memory of nonsensical size', () => {
    for (const bytes of [0, -1, Number.NaN, 1e300, 2 ** 46, 'x', undefined, {}]) {
      expect(typeof addon().allocate(bytes as number)).toBe('number');
    }
    for (const value of [undefined, 5, {}, new ArrayBuffer(8), new ArrayBuffer(0)]) {
      expect(addon().release(value as ArrayBuffer)).toBe(false);
    }
    expect(addon().setThreads(Number.NaN)).not.toBe(0);
    expect(addon().setThreads(-1)).not.toBe(0);
    expect(addon().forceIsa('mmx')).not.toBe(0);
    expect(addon().forceIsa('x'.repeat(1000))).not.toBe(0);
    expect(addon().forceIsa(5 as never)).not.toBe(0);
  });

  const anything = fc.oneof(
    fc.constantFrom<unknown>(undefined, null, 0, '', {}, [], [floats(4)], new ArrayBuffer(8)),
    fc.nat(64).map((length) => new Float32Array(length)),
    fc.nat(64).map((length) => new Float64Array(length).fill(2)),
    fc.nat(64).map((length) => new Int32Array(length)),
    fc.nat(64).map((length) => new Uint8Array(length)),
    fc.nat(64).map((length) => new Float32Array(new SharedArrayBuffer(4 * length))),
  );
  const anyNumber = fc.oneof(
    fc.integer({ min: -3, max: 9 }),
    fc.constantFrom(
      2 ** 31,
      2 ** 32,
      2 ** 40,
      2 ** 53,
      -(2 ** 53),
      1e300,
      Number.NaN,
      -0,
      0.5,
      Number.NEGATIVE_INFINITY,
    ),
  );
  const kernels = Object.keys(loadAddon().addon ?? {}).filter(
    (name) =>
      !/Async$|^(allocate|release|trimMemory|memoryStats|setThreads|getThreads|isa|isas|forceIsa|nativeInterface|interfaceVersion)$/.test(
        name,
      ),
  );

  test.each(kernels)('%s with random arguments', (name) => {
    const kernel = addon()[name as 'unary'];
    fc.assert(
      fc.property(
        fc.array(anyNumber, { maxLength: 60 }),
        fc.array(anything, { maxLength: 24 }),
        (values, arrays) => {
          expect(typeof kernel(Float64Array.from(values), ...(arrays as NativeArray[]))).toBe('number');
        },
      ),
      { numRuns: 300 },
    );
  });

  test.each(kernels.filter((name) => `${name}Async` in (loadAddon().addon ?? {})))(
    '%sAsync with random arguments',
    async (name) => {
      const kernel = addon()[`${name}Async` as 'selectiveScanAsync'];
      await fc.assert(
        fc.asyncProperty(
          fc.array(anyNumber, { maxLength: 60 }),
          fc.array(anything, { maxLength: 24 }),
          async (values, arrays) => {
            expect(
              typeof (await kernel(Float64Array.from(values), undefined, ...(arrays as NativeArray[]))),
            ).toBe('number');
          },
        ),
        { numRuns: 100 },
      );
    },
  );
});

describeNative('bad input to the public calls', () => {
  const source = randomSource(1);
  const inputs = {
    u: narrow(source.normal([2, 5, 4])),
    delta: narrow(source.uniform([2, 5, 4], 0, 1)),
    A: narrow(source.uniform([4, 3], -1, 0)),
    B: narrow(source.normal([2, 5, 3])),
    C: narrow(source.normal([2, 5, 3])),
  };
  const scan = (change: object, options = {}) =>
    selectiveScan({ ...inputs, ...change, backend: 'cpu', ...options });

  test.each<[string, () => unknown, string, RegExp]>([
    [
      'a wrong shape',
      () => scan({ delta: narrow(source.normal([2, 5, 3])) }),
      'ERR_SHAPE',
      /delta: expected .*\(2, 5, 4\), got \(2, 5, 3\)/,
    ],
    [
      'too short',
      () => scan({ u: { data: new Float32Array(39), shape: [2, 5, 4] } }),
      'ERR_SHAPE',
      /u: .*at least 40 elements.*got 39/,
    ],
    [
      'f64 where there is no kernel for it',
      () => cpu().softmax({ x: source.normal([2, 5]), out: nanOutput([2, 5]) }),
      'ERR_DTYPE',
      /x: expected f32.*got f64/,
    ],
    [
      'pairs where a kernel knows none',
      () => scan({ D: { ...narrow(source.normal([4])), dtype: 'c64' as const } }),
      'ERR_DTYPE',
      /D: expected f32/,
    ],
    ['no tensor', () => scan({ A: 5 }), 'ERR_ARGUMENT', /A: expected a tensor/],
    ['an unknown layout', () => scan({}, { layout: 'lbd' }), 'ERR_ARGUMENT', /layout/],
    ['an unknown backend', () => scan({}, { backend: 'tpu' }), 'ERR_ARGUMENT', /backend.*'tpu'/],
    [
      'an output that is an input',
      () => scan({}, { out: inputs.u }),
      'ERR_ARGUMENT',
      /out: .*shares with another argument/,
    ],
    ['an output of another size', () => scan({}, { out: nanOutput([2, 5, 3]) }), 'ERR_SHAPE', /out/],
    [
      'boundaries that descend',
      () => {
        const one = {
          u: narrow(source.normal([1, 5, 4])),
          delta: narrow(source.normal([1, 5, 4])),
          B: narrow(source.normal([1, 5, 3])),
          C: narrow(source.normal([1, 5, 3])),
        };
        return scan({ ...one, cuSeqlens: { data: Int32Array.of(0, 4, 3, 5), shape: [4] } });
      },
      'ERR_ARGUMENT',
      /cuSeqlens\[2\]/,
    ],
  ])('%s', (_, call, code, message) => {
    expect(call).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });

  test('a detached array', () => {
    const gone = narrow(source.normal([2, 5, 4]));
    structuredClone(gone.data.buffer, { transfer: [gone.data.buffer as ArrayBuffer] });
    expect(() => scan({ u: gone })).toThrow(expect.objectContaining({ code: 'ERR_DISPOSED' }));
  });

  test('a refused call leaves its output alone', () => {
    const out = nanOutput([2, 5, 4]);
    expect(() => scan({ B: narrow(source.normal([2, 5, 2])) }, { out })).toThrow();
    expect(out.data.every(Number.isNaN)).toBe(true);
  });
});
