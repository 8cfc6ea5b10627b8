/** Singular value decompositions. The only file that knows ml-matrix: its types do not leave it. */
import { Matrix as MlMatrix, SingularValueDecomposition } from 'ml-matrix';
import { checkFinite, checkMatrix, type Matrix, zeroMatrix } from './matrix.js';

/**
 * The min(rows, cols) singular values of `m`, descending; each within a few 2^-53 sigma_1 of the exact one.
 * @throws {ShapeError} when the data do not fit the size. @throws {NonFiniteError} for NaN or infinite entries.
 */
export function singularValues(m: Matrix): Float64Array {
  checkMatrix('singularValues', 'm', m);
  checkFinite('singularValues', 'm', m);
  return decompose(m, false).values;
}

/** M = U diag(values) V^T; u (rows, r), v (cols, r) with orthonormal columns, r = min(rows, cols). */
export interface SingularVectors {
  readonly u: Matrix;
  readonly values: Float64Array;
  readonly v: Matrix;
}

/** Singular values, descending, with their vectors; `m` has finite entries. */
export function singularVectors(m: Matrix): SingularVectors {
  return decompose(m, true);
}

function decompose(m: Matrix, vectors: boolean): SingularVectors {
  const count = Math.min(m.rows, m.cols);
  if (count === 0) {
    return { u: zeroMatrix(m.rows, 0), values: new Float64Array(0), v: zeroMatrix(m.cols, 0) };
  }
  const svd = new SingularValueDecomposition(MlMatrix.from1DArray(m.rows, m.cols, m.data), {
    computeLeftSingularVectors: vectors,
    computeRightSingularVectors: vectors,
    autoTranspose: true,
  });
  const values = Float64Array.from(svd.diagonal.slice(0, count));
  if (!vectors) return { u: zeroMatrix(m.rows, 0), values, v: zeroMatrix(m.cols, 0) };
  return {
    u: firstColumns(svd.leftSingularVectors, m.rows, count),
    values,
    v: firstColumns(svd.rightSingularVectors, m.cols, count),
  };
}

function firstColumns(vectors: MlMatrix, rows: number, cols: number): Matrix {
  const out = zeroMatrix(rows, cols);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) out.data[i * cols + j] = vectors.get(i, j);
  }
  return out;
}
