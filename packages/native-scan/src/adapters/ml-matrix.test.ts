import {
  ArgumentError,
  DTypeError,
  encodeBfloat16,
  loadFloat64,
  OutOfMemoryError,
  ShapeError,
  type TensorLike,
} from '@statespace/ssd-core';
import { anyView } from '@statespace/ssd-core/testing';
import fc from 'fast-check';
import {
  Matrix,
  MatrixColumnView,
  MatrixFlipRowView,
  MatrixSelectionView,
  MatrixSubView,
  MatrixTransposeView,
  SymmetricMatrix,
  WrapperMatrix1D,
} from 'ml-matrix';
import { describe, expect, test } from 'vitest';
import { fillMatrix, fromMatrices, fromMatrix, type ReadableMatrix, toMatrices, toMatrix } from './index.js';

const matrix = new Matrix([
  [1, 2, 3],
  [4, 5, 6],
]);
const real = ['f32', 'f64', 'f16', 'bf16', 'i32', 'u8'] as const;
const values = (tensor: TensorLike) => [...loadFloat64('test', 'tensor', tensor)];

describe('fromMatrix', () => {
  test.each<[string, ReadableMatrix, number[], number[]]>([
    ['a matrix', matrix, [2, 3], [1, 2, 3, 4, 5, 6]],
    ['a transpose', new MatrixTransposeView(matrix), [3, 2], [1, 4, 2, 5, 3, 6]],
    ['a part', new MatrixSubView(matrix, 0, 1, 1, 2), [2, 2], [2, 3, 5, 6]],
    ['a selection', new MatrixSelectionView(matrix, [1, 0], [2, 0]), [2, 2], [6, 4, 3, 1]],
    ['a column', new MatrixColumnView(matrix, 1), [2, 1], [2, 5]],
    ['rows upside down', new MatrixFlipRowView(matrix), [2, 3], [4, 5, 6, 1, 2, 3]],
    ['a wrapped array', new WrapperMatrix1D([1, 2, 3, 4], { rows: 2 }), [2, 2], [1, 2, 3, 4]],
    [
      'a symmetric matrix',
      new SymmetricMatrix([
        [1, 7],
        [7, 2],
      ]),
      [2, 2],
      [1, 7, 7, 2],
    ],
    ['an empty matrix', new Matrix(0, 3), [0, 3], []],
  ])('%s', (_, source, shape, data) => {
    expect(fromMatrix(source)).toEqual({ data: Float64Array.from(data), shape, dtype: 'f64' });
  });

  test('float32 rounds each entry once', () => {
    const { data, dtype } = fromMatrix(new Matrix([[0.1]]), { dtype: 'f32' });
    expect([dtype, data]).toEqual(['f32', Float32Array.of(0.1)]);
  });

  test('rows without columns hold nothing, however many', () => {
    expect(fromMatrix({ rows: 2 ** 40, columns: 0, get: () => 1 }).shape).toEqual([2 ** 40, 0]);
  });

  test('a batch', () => {
    const { data, shape } = fromMatrices([matrix, Matrix.zeros(2, 3), new MatrixFlipRowView(matrix)]);
    expect(shape).toEqual([3, 2, 3]);
    expect([...data]).toEqual([1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0, 4, 5, 6, 1, 2, 3]);
    expect(fromMatrices([]).shape).toEqual([0, 0, 0]);
  });

  const broken = (change: object) => ({ rows: 1, columns: 1, get: () => 1, ...change }) as ReadableMatrix;
  test.each<[string, () => unknown, typeof ShapeError | typeof ArgumentError, RegExp]>([
    ['nothing', () => fromMatrix(undefined as unknown as Matrix), ArgumentError, /a matrix, got undefined/],
    ['rows of numbers', () => fromMatrix([[1]] as unknown as Matrix), ArgumentError, /get/],
    ['negative sizes', () => fromMatrix(broken({ rows: -1 })), ShapeError, /got \(-1, 1\)/],
    ['sizes that are no number', () => fromMatrix(broken({ columns: Number.NaN })), ShapeError, /NaN/],
    [
      'sizes beyond memory',
      () => fromMatrix(broken({ rows: 2 ** 50 })),
      OutOfMemoryError,
      /1125899906842624/,
    ],
    [
      'entries that are no number',
      () => fromMatrix(broken({ get: () => '1' })),
      ArgumentError,
      /get\(0, 0\)/,
    ],
    ['another format', () => fromMatrix(matrix, { dtype: 'f16' as 'f32' }), DTypeError, /'f16'/],
    ['one matrix for many', () => fromMatrices(matrix as never), ArgumentError, /several|matrices/],
    ['a batch of two sizes', () => fromMatrices([matrix, matrix.transpose()]), ShapeError, /\[1\].*\(2, 3\)/],
  ])('refuses %s', (_, call, type, message) => {
    expect(call).toThrow(message);
    expect(call).toThrow(type);
  });
});

describe('toMatrix', () => {
  test('is the inverse, for views of every real format', () => {
    fc.assert(
      fc.property(anyView(real, { minRank: 2, maxRank: 2 }), (tensor) => {
        const back = toMatrix(tensor, Matrix);
        expect(back).toBeInstanceOf(Matrix);
        expect([back.rows, back.columns]).toEqual(tensor.shape);
        expect([...fromMatrix(back).data]).toEqual(values(tensor));
      }),
    );
  });
  test('batches', () => {
    fc.assert(
      fc.property(anyView(real, { minRank: 3, maxRank: 3 }), (tensor) => {
        const back = toMatrices(tensor, Matrix);
        expect(back.length).toBe(tensor.shape[0]);
        expect(back.flatMap((one) => one.to1DArray())).toEqual(values(tensor));
      }),
    );
  });
  test('bit patterns become numbers', () => {
    const data = Uint16Array.of(encodeBfloat16(-1.5));
    expect(toMatrix({ data, shape: [1, 1], dtype: 'bf16' }, Matrix).get(0, 0)).toBe(-1.5);
  });
  test('fills a part of a matrix through a view', () => {
    const whole = Matrix.zeros(3, 3);
    const part = new MatrixSubView(whole, 1, 2, 0, 1);
    expect(fillMatrix(part, { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] })).toBe(part);
    expect(whole.to2DArray()).toEqual([
      [0, 0, 0],
      [1, 2, 0],
      [3, 4, 0],
    ]);
  });

  const tensor = fromMatrix(matrix);
  test.each<[string, () => unknown, typeof ShapeError, RegExp]>([
    [
      'another number of axes',
      () => toMatrix({ ...tensor, shape: [6] }, Matrix),
      ShapeError,
      /\(rows, columns\)/,
    ],
    ['a matrix for a batch', () => toMatrices(tensor, Matrix), ShapeError, /\(count, rows, columns\)/],
    [
      'a matrix of another size',
      () => fillMatrix(Matrix.zeros(3, 2), tensor),
      ShapeError,
      /\(2, 3\), got \(3, 2\)/,
    ],
    [
      'memory that is too small',
      () => toMatrix({ ...tensor, shape: [2, 4] }, Matrix),
      ShapeError,
      /8 elements/,
    ],
    [
      'complex numbers',
      () => toMatrix({ data: new Float32Array(4), shape: [2, 2], dtype: 'c64' }, Matrix),
      DTypeError,
      /ml-matrix has no complex.*dtype: 'f32'/,
    ],
  ])('refuses %s', (_, call, type, message) => {
    expect(call).toThrow(message);
    expect(call).toThrow(type);
  });
});
