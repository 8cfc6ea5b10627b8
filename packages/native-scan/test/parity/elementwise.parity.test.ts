import type { BinaryOp, DType, TensorLike, UnaryOp } from '@statespace/ssd-core';
import { randomSource, strided } from '@statespace/ssd-core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cpu, describeNative, nanOutput, narrow } from '../support.js';
import { expectParity } from './dense.js';

/** A few units in the last place of the largest result; inverse and trigonometric functions included. */
const tolerance = 1e-6;

const positive = new Set<UnaryOp>(['sqrt', 'rsqrt', 'log', 'reciprocal']);
const unaryOps: UnaryOp[] = [
  'neg',
  'abs',
  'square',
  'sqrt',
  'rsqrt',
  'reciprocal',
  'exp',
  'expm1',
  'log',
  'log1p',
  'sin',
  'cos',
  'tanh',
  'sigmoid',
  'logSigmoid',
  'silu',
  'softplus',
  'relu',
  'gelu',
  'geluTanh',
];
const binaryOps: BinaryOp[] = ['add', 'sub', 'mul', 'div', 'maximum', 'minimum'];
const shapes = [[], [0], [1], [5], [17], [3, 33], [4, 0, 2], [2, 3, 16, 5], [70_001]];

function operand(op: UnaryOp, shape: readonly number[], seed: number): TensorLike {
  const source = randomSource(seed);
  if (positive.has(op)) return narrow(source.uniform(shape, 0.05, 9));
  if (op === 'log1p') return narrow(source.uniform(shape, -0.9, 9));
  return narrow(source.normal(shape, 3));
}

describeNative('unary', () => {
  test.each(unaryOps)('%s', (op) => {
    for (const shape of shapes) {
      const x = operand(op, shape, 3);
      for (const view of [x, strided(x)]) {
        expectParity(
          'unary',
          () => {
            const out = nanOutput(shape);
            return { args: { op, x: view, out }, outputs: { out } };
          },
          tolerance,
        );
      }
    }
  });

  test.each(unaryOps)('%s backward', (op) => {
    for (const shape of shapes) {
      const x = operand(op, shape, 4);
      const gradOut = narrow(randomSource(5).normal(shape));
      for (const view of [x, strided(x)]) {
        expectParity(
          'unaryBackward',
          () => {
            const gradX = nanOutput(shape);
            return {
              args: { op, x: view, gradOut: view === x ? gradOut : strided(gradOut), gradX },
              outputs: { gradX },
            };
          },
          tolerance,
        );
      }
    }
  });

  test('extreme values', () => {
    const values = [
      0,
      -0,
      1e-30,
      -1e-30,
      20,
      20.001,
      -20,
      88,
      89,
      -88,
      -104,
      1e30,
      -1e30,
      Infinity,
      -Infinity,
      NaN,
    ];
    const x = { data: Float32Array.from(values), shape: [values.length] };
    for (const op of unaryOps) {
      const ours = nanOutput(x.shape);
      cpu().unary({ op, x, out: ours });
      const isNaNWanted = (value: number) =>
        Number.isNaN(value) ||
        (value === -Infinity && op === 'silu') ||
        ((op === 'sin' || op === 'cos') && !Number.isFinite(value));
      ours.data.forEach((value, i) => {
        if (Number.isNaN(values[i])) expect(value, `${op}(NaN)`).toBeNaN();
        else if (op === 'softplus' || op === 'sigmoid' || op === 'tanh' || op === 'exp') {
          expect(value, `${op}(${values[i]})`).not.toBeNaN();
        }
      });
      expect(isNaNWanted(Number.NaN)).toBe(true);
    }
  });

  test('in place', () => {
    const x = narrow(randomSource(6).normal([1000]));
    const wanted = nanOutput([1000]);
    cpu().unary({ op: 'silu', x, out: wanted });
    cpu().unary({ op: 'silu', x, out: x });
    expect(x.data).toEqual(wanted.data);
  });
});

describeNative('binary', () => {
  test.each(binaryOps)('%s with broadcasting', (op) => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 7 }), fc.constantFrom('both', 'a', 'b')), {
          maxLength: 4,
        }),
        fc.nat(1000),
        fc.boolean(),
        (axes, seed, viewed) => {
          const shape = axes.map(([size]) => size);
          const source = randomSource(seed);
          const sizes = (who: string) =>
            axes.map(([size, which]) => (which === 'both' || which === who ? size : 1));
          const a = narrow(source.normal(sizes('a')));
          const b = narrow(source.uniform(sizes('b'), 0.5, 2));
          expectParity(
            'binary',
            () => {
              const out = nanOutput(shape);
              const args = { op, a: viewed ? strided(a) : a, b: viewed ? strided(b) : b, out };
              return { args, outputs: { out } };
            },
            tolerance,
          );
        },
      ),
      { numRuns: 40 },
    );
  });

  test('a shorter shape broadcasts from the end', () => {
    const a = narrow(randomSource(1).normal([5, 33]));
    const b = narrow(randomSource(2).normal([33]));
    expectParity(
      'binary',
      () => {
        const out = nanOutput([5, 33]);
        return { args: { op: 'mul', a, b, out }, outputs: { out } };
      },
      tolerance,
    );
  });
});

describeNative('copies', () => {
  const dtypes: DType[] = ['f32', 'f64', 'f16', 'bf16', 'i32', 'u8'];
  const arrayOf = (dtype: DType, values: readonly number[]) => {
    if (dtype === 'f64') return Float64Array.from(values);
    if (dtype === 'i32') return Int32Array.from(values);
    if (dtype === 'u8') return Uint8Array.from(values);
    if (dtype === 'f32') return Float32Array.from(values);
    return new Uint16Array(values.length);
  };

  test.each(dtypes.flatMap((from) => dtypes.map((to) => [from, to] as const)))('%s to %s', (from, to) => {
    const values = [0, 1, 2, 3, 0.5, 100, 200, 77, 12, 250, 9, 64];
    const shape = [3, 4];
    const typed = { data: arrayOf(from, values), shape, dtype: from };
    // Half-precision bits come from a conversion that the reference makes.
    if (from === 'f16' || from === 'bf16') {
      cpu().copy({ x: { data: Float32Array.from(values), shape }, out: typed });
    }
    for (const x of [typed, strided(typed)]) {
      expectParity(
        'copy',
        () => {
          const out = {
            data: arrayOf(
              to,
              values.map(() => 7),
            ),
            shape,
            dtype: to,
          };
          return { args: { x, out }, outputs: { out } };
        },
        0,
      );
    }
  });

  test('complex pairs', () => {
    const x = { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2], dtype: 'c64' as const };
    const out = { data: new Float64Array(4), shape: [2, 2], dtype: 'c128' as const };
    cpu().copy({ x, out });
    expect(out.data).toEqual(Float64Array.of(1, 2, 3, 4));
  });

  test('affine, accumulate and fill, contiguous and strided', () => {
    const source = randomSource(9);
    const x = narrow(source.normal([3, 5, 7]));
    for (const view of [x, strided(x)]) {
      expectParity(
        'affine',
        () => {
          const out = nanOutput([3, 5, 7]);
          return { args: { x: view, alpha: -1.5, beta: 0.25, out }, outputs: { out } };
        },
        tolerance,
      );
      expectParity(
        'accumulate',
        () => {
          const out =
            view === x
              ? narrow(randomSource(2).normal([3, 5, 7]))
              : strided(narrow(randomSource(2).normal([3, 5, 7])));
          const data = (out.data as Float32Array).map((value) => (Number.isNaN(value) ? 0 : value));
          const target = { ...out, data };
          return { args: { x: view, out: target }, outputs: { target } };
        },
        tolerance,
      );
    }
    expectParity(
      'fill',
      () => {
        const out = { data: new Float32Array(20), shape: [2, 3], strides: [10, 2], offset: 1 };
        return { args: { out, value: 1.5 }, outputs: { out } };
      },
      0,
    );
  });

  test('views of one buffer', () => {
    const data = Float32Array.from({ length: 12 }, (_, i) => i);
    const left = { data, shape: [3, 2], strides: [4, 1] };
    const right = { data, shape: [3, 2], strides: [4, 1], offset: 2 };
    cpu().copy({ x: left, out: right });
    expect([...data]).toEqual([0, 1, 0, 1, 4, 5, 4, 5, 8, 9, 8, 9]);
    cpu().accumulate({ x: left, out: right });
    expect([...data]).toEqual([0, 1, 0, 2, 4, 5, 8, 10, 8, 9, 16, 18]);
    cpu().copy({ x: { data, shape: [2, 2] }, out: { data, shape: [2, 2], strides: [1, 2] } });
    expect([...data.subarray(0, 4)]).toEqual([0, 0, 1, 2]);
  });
});
