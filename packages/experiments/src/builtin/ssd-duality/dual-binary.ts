/** Theorem 4.1 on all 1,024 lower-triangular 4x4 matrices of zeros and ones, where ranks can be had exactly. */
import { type Matrix, modularRank, subMatrix } from '@statespace/ssd-core/structure';
import type { Check } from '../../experiment/result.js';
import type { DualMathematics } from './dual-mathematics.js';
import { dualError } from './dual-random.js';

const size = 4;
const entries = (size * (size + 1)) / 2;

/** Their minors are 3 at most: a rank modulo this prime is the rank. */
const prime = 1_000_003n;

/** The lower-triangular matrix whose entries, row by row, are the bits of `code`. */
export function binaryMatrix(code: number): Matrix {
  const data = new Float64Array(size * size);
  let bit = 0;
  for (let t = 0; t < size; t++) {
    for (let s = 0; s <= t; s++) {
      data[t * size + s] = (code >> bit) & 1;
      bit += 1;
    }
  }
  return { rows: size, cols: size, data };
}

/** What the enumeration finds. */
export interface BinaryFindings {
  readonly matrices: number;
  readonly rightColumns: number;
  readonly rightCompletions: number;
  readonly rightDuals: number;
}

/** Compares new columns, completion and dual of every matrix with exact ranks. */
export function enumerateBinary(maths: DualMathematics): BinaryFindings {
  const matrices = 2 ** entries;
  let [rightColumns, rightCompletions, rightDuals] = [0, 0, 0];
  for (let code = 0; code < matrices; code++) {
    const matrix = binaryMatrix(code);
    const exact = exactNewColumns(matrix);
    if (maths.newColumns(matrix).join() === exact.join()) rightColumns += 1;
    if (completes(maths.completion(matrix), matrix, exact.length, maths.tolerance)) rightCompletions += 1;
    if (dualsFrom(leastWidth(matrix), matrix, maths)) rightDuals += 1;
  }
  return { matrices, rightColumns, rightCompletions, rightDuals };
}

export function binaryChecks(found: BinaryFindings): Check[] {
  const { matrices } = found;
  const all = (claim: string, right: number): Check => ({
    claim,
    passed: right === matrices,
    found: `${right} of ${matrices}`,
  });
  return [
    all('the new columns of every binary 4×4 matrix are those of exact ranks', found.rightColumns),
    all('its completion has as rank the number of new columns, and keeps the matrix', found.rightCompletions),
    all(
      'it has a 1-SS dual from the most new columns of a diagonal block on, none narrower',
      found.rightDuals,
    ),
  ];
}

function exactNewColumns(matrix: Matrix): number[] {
  const rank = (width: number, top: number): number =>
    modularRank(
      matrix.rows - top,
      width,
      (i, j) => BigInt(matrix.data[(top + i) * matrix.cols + j] as number),
      prime,
    );
  const columns = Array.from({ length: matrix.cols }, (_, t) => t);
  return columns.filter((t) => rank(t + 1, t) > (t === 0 ? 0 : rank(t, t)));
}

/** The most new columns of a diagonal block; 1 for the zero matrix, since no dual is narrower. */
function leastWidth(matrix: Matrix): number {
  const { rows } = matrix;
  const cuts = Array.from({ length: rows }, (_, t) => t).filter((t) =>
    subMatrix(matrix, t, rows, 0, t).data.every((entry) => entry === 0),
  );
  const blocks = cuts.map((begin, i) =>
    subMatrix(matrix, begin, cuts[i + 1] ?? rows, begin, cuts[i + 1] ?? rows),
  );
  return Math.max(1, ...blocks.map((block) => exactNewColumns(block).length));
}

function completes(
  { matrix: full, rank }: ReturnType<DualMathematics['completion']>,
  matrix: Matrix,
  wanted: number,
  tolerance: number,
): boolean {
  const kept = matrix.data.every((entry, i) => {
    const above = i % size > Math.floor(i / size);
    return above || Math.abs((full.data[i] as number) - entry) <= tolerance;
  });
  return kept && rank === wanted;
}

function dualsFrom(width: number, matrix: Matrix, maths: DualMathematics): boolean {
  const dual = maths.widthDual(matrix, width);
  const narrower = width > 1 && maths.widthDual(matrix, width - 1).exists;
  return dual.exists && !narrower && dualError(matrix, dual) <= maths.tolerance;
}
