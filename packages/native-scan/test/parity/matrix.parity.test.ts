import type { ReduceArgs, TensorLike } from '@statespace/ssd-core';
import { randomSource, strided } from '@statespace/ssd-core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cpu, describeNative, insideWider, nanOutput, narrow } from '../support.js';
import { expectParity } from './dense.js';

/** (rows, columns) seen as a transposed view of (columns, rows). */
function transposedView(tensor: TensorLike): TensorLike {
  const [rows, columns] = tensor.shape as [number, number];
  const source = tensor.data as Float32Array;
  const data = new Float32Array(source.length);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) data[c * rows + r] = source[r * columns + c] as number;
  return { data, shape: [rows, columns], strides: [1, rows] };
}

describeNative('gemm', () => {
  /** Rounding of sums of K terms of order 1, against the largest entry. */
  const tolerance = 3e-6;

  const sizes = fc.record({
    m: fc.integer({ min: 0, max: 40 }),
    n: fc.integer({ min: 0, max: 70 }),
    k: fc.integer({ min: 0, max: 60 }),
    batch: fc.constantFrom([], [1], [3], [2, 3]),
    sharedB: fc.boolean(),
    transposeA: fc.boolean(),
    transposeB: fc.boolean(),
    mode: fc.constantFrom('plain', 'bias', 'silu', 'accumulate'),
    layout: fc.constantFrom('contiguous', 'wider', 'strided'),
    seed: fc.nat(1000),
  });

  test('random sizes, batches, transposes, epilogues and layouts', () => {
    fc.assert(
      fc.property(sizes, (drawn) => {
        const { m, n, k, batch, sharedB, transposeA, transposeB, mode, layout, seed } = drawn;
        const source = randomSource(seed);
        const arrange = (tensor: TensorLike) =>
          layout === 'contiguous' ? tensor : layout === 'wider' ? insideWider(tensor) : strided(tensor);
        const a = arrange(narrow(source.normal([...batch, ...(transposeA ? [k, m] : [m, k])])));
        const b = arrange(
          narrow(source.normal([...(sharedB ? [] : batch), ...(transposeB ? [n, k] : [k, n])])),
        );
        const bias = narrow(source.normal([n]));
        const start = narrow(source.normal([...batch, m, n]));
        expectParity(
          'gemm',
          () => {
            const out =
              mode === 'accumulate' ? { ...start, data: start.data.slice() } : nanOutput([...batch, m, n]);
            const options = {
              ...(mode === 'bias' && { bias }),
              ...(mode === 'silu' && { bias, activation: 'silu' as const }),
              ...(mode === 'accumulate' && { accumulate: true }),
            };
            return { args: { a, b, transposeA, transposeB, out, ...options }, outputs: { out } };
          },
          tolerance,
        );
      }),
      { numRuns: 150 },
    );
  });

  test.each([
    [64, 64, 64],
    [129, 36, 128],
    [257, 80, 33],
    [1, 100, 64],
    [33, 1, 65],
    [100, 300, 4],
  ])('%i x %i x %i', (m, n, k) => {
    const a = narrow(randomSource(1).normal([m, k]));
    const b = narrow(randomSource(2).normal([k, n]));
    for (const left of [a, transposedView(a)]) {
      for (const right of [b, transposedView(b)]) {
        expectParity(
          'gemm',
          () => {
            const out = nanOutput([m, n]);
            return { args: { a: left, b: right, out }, outputs: { out } };
          },
          tolerance,
        );
      }
    }
  });

  test('an output that shares memory with an input is refused', () => {
    const a = narrow(randomSource(1).normal([4, 4]));
    expect(() => cpu().gemm({ a, b: a, out: a })).toThrow(/out.*shares with another argument/);
  });
});

describeNative('reductions', () => {
  /** Sums of up to 5000 terms in blocks. */
  const tolerance = 2e-6;

  test.each(['sum', 'mean', 'max'] as const)('%s over any axes', (op) => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.boolean()), { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        fc.boolean(),
        fc.nat(1000),
        (axes, keep, viewed, seed) => {
          const shape = axes.map(([size]) => size);
          const reduced = axes.flatMap(([, gone], axis) => (gone ? [axis] : []));
          const x = narrow(randomSource(seed).normal(shape));
          const outShape = axes.flatMap(([size, gone]) => (gone ? (keep ? [1] : []) : [size]));
          expectParity(
            'reduce',
            () => {
              const out = nanOutput(outShape);
              const args: ReduceArgs = { op, x: viewed ? strided(x) : x, axes: reduced, out };
              return { args, outputs: { out } };
            },
            tolerance,
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  test.each([
    [[5000], [0]],
    [[64, 1000], [0]],
    [[64, 1000], [1]],
    [
      [7, 33, 65],
      [0, 2],
    ],
    [[0, 4], [0]],
    [[3, 0], [1]],
  ])('sum of %j over %j', (shape, axes) => {
    const x = narrow(randomSource(7).normal(shape));
    expectParity(
      'reduce',
      () => {
        const out = nanOutput(shape.filter((_, axis) => !axes.includes(axis)));
        return { args: { op: 'sum', x, axes, out }, outputs: { out } };
      },
      tolerance,
    );
  });

  test('argmax: ties go to the lower index, rows may have a stride', () => {
    const x = narrow(randomSource(3).normal([13, 50]));
    x.data[5] = x.data[9] = 100;
    for (const view of [x, insideWider(x), strided(x)]) {
      expectParity(
        'argmax',
        () => {
          const out = { data: new Int32Array(13).fill(-1), shape: [13] };
          return { args: { x: view, out }, outputs: { out } };
        },
        0,
      );
    }
  });
});
