/** Dense float64 matrices, row-major, as far as the study of semiseparable structure needs them. */
import { ArgumentError, NonFiniteError, ShapeError } from '../errors.js';

/** A (rows, cols) matrix; entry [i, j] is `data[i * cols + j]`. */
export interface Matrix {
  readonly rows: number;
  readonly cols: number;
  readonly data: Float64Array;
}

/** A (rows, cols) matrix of zeros. */
export function zeroMatrix(rows: number, cols: number): Matrix {
  return { rows, cols, data: new Float64Array(rows * cols) };
}

/** A copy of M[rowBegin:rowEnd, colBegin:colEnd]. */
export function subMatrix(
  { cols, data }: Matrix,
  rowBegin: number,
  rowEnd: number,
  colBegin: number,
  colEnd: number,
): Matrix {
  const out = zeroMatrix(rowEnd - rowBegin, colEnd - colBegin);
  for (let i = rowBegin; i < rowEnd; i++) {
    out.data.set(data.subarray(i * cols + colBegin, i * cols + colEnd), (i - rowBegin) * out.cols);
  }
  return out;
}

/**
 * y = M x; M (rows, cols), x (cols), y (rows).
 * @throws {ShapeError} when the sizes do not fit.
 */
export function matVec(m: Matrix, x: Float64Array): Float64Array {
  checkMatrix('matVec', 'm', m);
  checkLength('matVec', 'x', x, m.cols);
  const y = new Float64Array(m.rows);
  for (let i = 0; i < m.rows; i++) {
    let sum = 0;
    for (let j = 0; j < m.cols; j++) sum += (m.data[i * m.cols + j] as number) * (x[j] as number);
    y[i] = sum;
  }
  return y;
}

/**
 * A B; A (m, k), B (k, n), result (m, n).
 * @throws {ShapeError} when the sizes do not fit.
 */
export function matMul(a: Matrix, b: Matrix): Matrix {
  checkMatrix('matMul', 'a', a);
  checkMatrix('matMul', 'b', b);
  if (a.cols !== b.rows) {
    throw new ShapeError({
      op: 'matMul',
      argument: 'b',
      wanted: `${a.cols} rows`,
      got: `${b.rows}`,
    });
  }
  const out = zeroMatrix(a.rows, b.cols);
  for (let i = 0; i < a.rows; i++) {
    const row = out.data.subarray(i * b.cols, (i + 1) * b.cols);
    for (let k = 0; k < a.cols; k++) {
      const weight = a.data[i * a.cols + k] as number;
      for (let j = 0; j < b.cols; j++)
        row[j] = (row[j] as number) + weight * (b.data[k * b.cols + j] as number);
    }
  }
  return out;
}

/**
 * tril(Q K^T), the diagonal included; Q, K (T, N), result (T, T).
 * @throws {ShapeError} unless Q and K have the same shape.
 */
export function causalProduct(q: Matrix, k: Matrix): Matrix {
  checkMatrix('causalProduct', 'q', q);
  checkMatrix('causalProduct', 'k', k);
  if (q.rows !== k.rows || q.cols !== k.cols) {
    throw new ShapeError({
      op: 'causalProduct',
      argument: 'k',
      wanted: `(${q.rows}, ${q.cols}) as q`,
      got: `(${k.rows}, ${k.cols})`,
    });
  }
  const out = zeroMatrix(q.rows, q.rows);
  for (let t = 0; t < q.rows; t++) {
    for (let s = 0; s <= t; s++) {
      let sum = 0;
      for (let n = 0; n < q.cols; n++) {
        sum += (q.data[t * q.cols + n] as number) * (k.data[s * k.cols + n] as number);
      }
      out.data[t * out.cols + s] = sum;
    }
  }
  return out;
}

/** @throws {ShapeError} unless `m` is a matrix whose data have rows * cols entries. */
export function checkMatrix(op: string, argument: string, m: Matrix): void {
  const sized = Number.isSafeInteger(m.rows) && m.rows >= 0 && Number.isSafeInteger(m.cols) && m.cols >= 0;
  if (sized && m.data.length === m.rows * m.cols) return;
  throw new ShapeError({
    op,
    argument,
    wanted: sized ? `${m.rows * m.cols} entries for (${m.rows}, ${m.cols})` : 'rows and cols of 0 or more',
    got: sized ? `${m.data.length}` : `(${m.rows}, ${m.cols})`,
  });
}

/** @throws {ShapeError | NonFiniteError} unless `m` is a square matrix of finite entries. */
export function checkSquare(op: string, argument: string, m: Matrix): void {
  checkMatrix(op, argument, m);
  if (m.rows !== m.cols) {
    throw new ShapeError({ op, argument, wanted: 'a square matrix', got: `(${m.rows}, ${m.cols})` });
  }
  checkFinite(op, argument, m);
}

/** @throws {NonFiniteError} naming the first entry that is NaN or infinite. */
export function checkFinite(op: string, argument: string, { cols, data }: Matrix): void {
  const at = data.findIndex((entry) => !Number.isFinite(entry));
  if (at < 0) return;
  throw new NonFiniteError({
    op,
    argument,
    wanted: 'finite entries',
    got: `${data[at]} at [${Math.floor(at / cols)}, ${at % cols}]`,
  });
}

/** @throws {ShapeError} unless `x` has `length` entries. */
export function checkLength(op: string, argument: string, x: ArrayLike<number>, length: number): void {
  if (x.length === length) return;
  throw new ShapeError({ op, argument, wanted: `${length} entries`, got: `${x.length}` });
}

/** @throws {ArgumentError} unless `value` is an integer of at least `least`. */
export function checkCount(op: string, argument: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new ArgumentError({ op, argument, wanted: `an integer of ${least} or more`, got: String(value) });
}
