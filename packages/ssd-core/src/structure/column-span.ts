/**
 * The column space of a matrix of low rank, by QR with column pivoting: A = Q R + rest. It stops where the rest is
 * below rounding, so a block of rank r costs O(rows cols r), and its singular values are those of the small R.
 */
import { type Matrix, zeroMatrix } from './matrix.js';
import { addScaled, dot, norm, splitOff } from './orthogonal.js';

/** A = Q R up to a rest of Frobenius norm max(rows, cols) 2^-55 sigma_1 at most: an eighth of the tolerance of a rank. */
export interface ColumnSpan {
  /** r orthonormal columns of Q. */
  readonly basis: readonly Float64Array[];
  /** R (r, cols). */
  readonly coefficients: Matrix;
}

/** The column space of `m`. */
export function columnSpan(m: Matrix): ColumnSpan {
  const { rows, cols } = m;
  const rests = columnsOf(m);
  const basis: Float64Array[] = [];
  const weights: Float64Array[] = [];
  let squares = rests.map((rest) => dot(rest, rest));
  // Neither the longest column nor a row of R is longer than sigma_1.
  let largest = Math.sqrt(Math.max(0, ...squares));
  const floor = (): number => Math.max(rows, cols) * 2 ** -55 * largest;
  while (basis.length < Math.min(rows, cols) && sum(squares) > floor() ** 2) {
    const at = squares.indexOf(Math.max(...squares));
    const pivot = rests[at] as Float64Array;
    const { direction, length } = splitOff(pivot, basis);
    if (length === 0) {
      // Rounding alone: what is left of this column lies in the span of the basis.
      pivot.fill(0);
      squares[at] = 0;
      continue;
    }
    const row = new Float64Array(cols);
    squares = rests.map((rest, j) => {
      const weight = dot(rest, direction);
      addScaled(rest, -weight, direction);
      row[j] = weight;
      return dot(rest, rest);
    });
    largest = Math.max(largest, norm(row));
    basis.push(direction);
    weights.push(row);
  }
  return { basis, coefficients: stackRows(weights, cols) };
}

/** The column space of [A b]; `span` is that of A. */
export function extendSpan({ basis, coefficients }: ColumnSpan, column: Float64Array): ColumnSpan {
  const { inside, length, direction } = splitOff(column, basis);
  const cols = coefficients.cols + 1;
  const rows = basis.map((_, k) => {
    const row = new Float64Array(cols);
    row.set(coefficients.data.subarray(k * coefficients.cols, (k + 1) * coefficients.cols));
    row[cols - 1] = inside[k] as number;
    return row;
  });
  // A remainder of rounding alone has no direction of its own.
  if (length <= Math.max(column.length, cols) * 2 ** -55 * norm(column)) {
    return { basis, coefficients: stackRows(rows, cols) };
  }
  const last = new Float64Array(cols);
  last[cols - 1] = length;
  return {
    basis: [...basis, direction],
    coefficients: stackRows([...rows, last], cols),
  };
}

function columnsOf({ rows, cols, data }: Matrix): Float64Array[] {
  const columns = Array.from({ length: cols }, () => new Float64Array(rows));
  columns.forEach((column, j) => {
    for (let i = 0; i < rows; i++) column[i] = data[i * cols + j] as number;
  });
  return columns;
}

function stackRows(rows: readonly Float64Array[], cols: number): Matrix {
  const out = zeroMatrix(rows.length, cols);
  rows.forEach((row, k) => {
    out.data.set(row, k * cols);
  });
  return out;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
