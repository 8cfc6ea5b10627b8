/** ml-matrix: matrices and their views, which hold float64 row by row, so that numbers are copied both ways. */
import {
  ArgumentError,
  allocateHostArray,
  checkView,
  DTypeError,
  elementCount,
  formatShape,
  loadFloat64,
  ShapeError,
  type TensorLike,
  type TypedArray,
  tensorDType,
} from '@statespace/ssd-core';
import { type ArrayTensor, expectObject, refuseComplex } from './array-tensor.js';

/** What is read of an ml-matrix `Matrix`, `SymmetricMatrix`, `MatrixTransposeView` or any other view. */
export interface ReadableMatrix {
  readonly rows: number;
  readonly columns: number;
  get(row: number, column: number): number;
}

/** What is written of one. */
export interface WritableMatrix {
  readonly rows: number;
  readonly columns: number;
  set(row: number, column: number, value: number): unknown;
}

/** The class `Matrix`, or another one that makes a matrix of given size. */
export type MatrixClass<M extends WritableMatrix> = new (rows: number, columns: number) => M;

export interface FromMatrixOptions {
  /** Default `'f64'`; `'f32'` rounds each entry once. */
  readonly dtype?: 'f32' | 'f64';
}

/**
 * A matrix, or a view of one, as a tensor (rows, columns).
 * @throws {ArgumentError} for what is no matrix of numbers. @throws {ShapeError} for sizes that are none.
 * @throws {DTypeError} for another `dtype`.
 * @example
 * const A = fromMatrix(Matrix.ones(4, 16).mul(-1), { dtype: 'f32' });
 */
export function fromMatrix(matrix: ReadableMatrix, options: FromMatrixOptions = {}): ArrayTensor {
  const op = 'fromMatrix';
  const dtype = checkDType(op, options);
  const shape = sizesOf(op, 'matrix', matrix);
  const data = allocateHostArray(dtype, elementCount(shape));
  readEntries(op, 'matrix', matrix, shape, data, 0);
  return { data, shape, dtype };
}

/**
 * Matrices of one size as a tensor (count, rows, columns): for kernels, rows of a batch.
 * @throws as `fromMatrix`; {ShapeError} also for a matrix of another size than the first.
 */
export function fromMatrices(
  matrices: Iterable<ReadableMatrix>,
  options: FromMatrixOptions = {},
): ArrayTensor {
  const op = 'fromMatrices';
  const dtype = checkDType(op, options);
  if (typeof matrices?.[Symbol.iterator] !== 'function') {
    throw new ArgumentError({ op, argument: 'matrices', wanted: 'several matrices', got: typeof matrices });
  }
  const list = [...matrices];
  const sizes = list.map((matrix, i) => sizesOf(op, `matrices[${i}]`, matrix));
  const [rows, columns] = sizes[0] ?? [0, 0];
  for (const [i, size] of sizes.entries()) {
    if (size[0] === rows && size[1] === columns) continue;
    const argument = `matrices[${i}]`;
    throw new ShapeError({ op, argument, wanted: formatShape([rows, columns]), got: formatShape(size) });
  }
  const shape = [list.length, rows, columns];
  const data = allocateHostArray(dtype, elementCount(shape));
  for (const [i, matrix] of list.entries()) {
    readEntries(op, `matrices[${i}]`, matrix, [rows, columns], data, i * rows * columns);
  }
  return { data, shape, dtype };
}

/**
 * A tensor (rows, columns) of any real format and strides as a new matrix.
 * @param matrixClass ml-matrix's `Matrix`; the library itself is not loaded here.
 * @throws {ShapeError} for another number of axes. @throws {DTypeError} for complex formats.
 * @example
 * const y = toMatrix({ ...out, shape: out.shape.slice(1) }, Matrix);
 */
export function toMatrix<M extends WritableMatrix>(tensor: TensorLike, matrixClass: MatrixClass<M>): M {
  const op = 'toMatrix';
  const values = load(op, tensor, 2, '(rows, columns)');
  return newMatrix(op, matrixClass, tensor.shape as readonly [number, number], values);
}

/** A tensor (count, rows, columns) as new matrices. @throws as `toMatrix`. */
export function toMatrices<M extends WritableMatrix>(tensor: TensorLike, matrixClass: MatrixClass<M>): M[] {
  const op = 'toMatrices';
  const values = load(op, tensor, 3, '(count, rows, columns)');
  const [count, rows, columns] = tensor.shape as readonly [number, number, number];
  return Array.from({ length: count }, (_, i) =>
    newMatrix(
      op,
      matrixClass,
      [rows, columns],
      values.subarray(i * rows * columns, (i + 1) * rows * columns),
    ),
  );
}

/**
 * Writes a tensor (rows, columns) into a matrix, or through a view into a part of one.
 * @throws {ShapeError} for a matrix of another size. @throws as `toMatrix`.
 */
export function fillMatrix<M extends WritableMatrix>(matrix: M, tensor: TensorLike): M {
  const op = 'fillMatrix';
  expectObject(op, 'matrix', 'a matrix', matrix);
  const values = load(op, tensor, 2, '(rows, columns)');
  return writeEntries(op, matrix, tensor.shape as readonly [number, number], values);
}

function checkDType(op: string, { dtype = 'f64' }: FromMatrixOptions): 'f32' | 'f64' {
  if (dtype === 'f32' || dtype === 'f64') return dtype;
  throw new DTypeError({ op, argument: 'dtype', wanted: "'f32' or 'f64'", got: `'${String(dtype)}'` });
}

function sizesOf(op: string, argument: string, matrix: ReadableMatrix): readonly [number, number] {
  const { rows, columns, get } = expectObject(op, argument, 'a matrix', matrix);
  if (typeof get !== 'function') {
    throw new ArgumentError({ op, argument, wanted: 'a matrix with rows, columns and get', got: 'no get' });
  }
  if ([rows, columns].every((size) => Number.isSafeInteger(size) && size >= 0)) return [rows, columns];
  throw new ShapeError({ op, argument, wanted: 'sizes of 0 or more', got: formatShape([rows, columns]) });
}

function readEntries(
  op: string,
  argument: string,
  matrix: ReadableMatrix,
  [rows, columns]: readonly [number, number] | readonly number[],
  data: TypedArray,
  start: number,
): void {
  // Many rows without columns hold nothing to read.
  if (columns === 0) return;
  let at = start;
  for (let row = 0; row < (rows as number); row++) {
    for (let column = 0; column < (columns as number); column++) {
      const value: unknown = matrix.get(row, column);
      if (typeof value !== 'number') {
        const entry = `${argument}.get(${row}, ${column})`;
        throw new ArgumentError({ op, argument: entry, wanted: 'a number', got: typeof value });
      }
      data[at++] = value;
    }
  }
}

function load(op: string, tensor: TensorLike, rank: number, letters: string): Float64Array {
  checkView(op, 'tensor', tensor);
  refuseComplex(op, 'ml-matrix', tensorDType(tensor));
  if (tensor.shape.length === rank) return loadFloat64(op, 'tensor', tensor);
  throw new ShapeError({ op, argument: 'tensor', wanted: letters, got: formatShape(tensor.shape) });
}

function newMatrix<M extends WritableMatrix>(
  op: string,
  matrixClass: MatrixClass<M>,
  size: readonly [number, number],
  values: Float64Array,
): M {
  if (typeof matrixClass !== 'function') {
    throw new ArgumentError({
      op,
      argument: 'matrixClass',
      wanted: "ml-matrix's Matrix",
      got: typeof matrixClass,
    });
  }
  return writeEntries(op, new matrixClass(size[0], size[1]), size, values);
}

function writeEntries<M extends WritableMatrix>(
  op: string,
  matrix: M,
  [rows, columns]: readonly [number, number],
  values: Float64Array,
): M {
  if (typeof matrix.set !== 'function') {
    throw new ArgumentError({
      op,
      argument: 'matrix',
      wanted: 'a matrix with rows, columns and set',
      got: 'no set',
    });
  }
  if (matrix.rows !== rows || matrix.columns !== columns) {
    const got = formatShape([matrix.rows, matrix.columns]);
    throw new ShapeError({ op, argument: 'matrix', wanted: formatShape([rows, columns]), got });
  }
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      matrix.set(row, column, values[row * columns + column] as number);
    }
  }
  return matrix;
}
