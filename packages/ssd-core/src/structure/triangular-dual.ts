/**
 * Queries and keys of a triangular realization, M = tril(Q K^T), with no division by vanishing products:
 *   Q_t = q_t E_t,  K_s = E_s^{-1} beta_s,  E_{t-1} = R_t^{-1} E_t, backwards from E_{T-1} = 1.
 * Column j of E_t grows backwards as coordinate j decays forwards, and faster than those before it, so the column keeps
 * its digits; its scale is kept apart as a power of two. Q and K share the range of each column between them.
 */

import { type Matrix, zeroMatrix } from './matrix.js';
import { dot, solveTriangular } from './orthogonal.js';
import type { AttentionFactors } from './single-mask-dual.js';
import type { TriangularStep } from './triangular-realization.js';

/** Powers of two beyond which a column leaves float64, entries of 2^20 and 2^-20 allowed for. */
const largestExponent = 1000;

/** Q and K (T, w), or undefined when the entries of a column span more than float64 does: some 2^2000. */
export function triangularDual(steps: readonly TriangularStep[]): AttentionFactors | undefined {
  const width = steps.at(-1)?.q.length ?? 0;
  const q = zeroMatrix(steps.length, width);
  const k = zeroMatrix(steps.length, width);
  const exponents = zeroMatrix(steps.length, width);
  let columns = Array.from({ length: width }, (_, j) => unitColumn(j));
  let exponent = new Float64Array(width);
  for (let t = steps.length - 1; t >= 0; t--) {
    const { q: outputs, beta, transition } = steps[t] as TriangularStep;
    q.data.set(
      columns.map((column) => dot(column, outputs)),
      t * width,
    );
    k.data.set(solveTriangular(columns, beta), t * width);
    exponents.data.set(exponent, t * width);
    const earlier = steps[t - 1]?.q.length ?? 0;
    columns = columns.slice(0, earlier).map((column) => solveTriangular(transition, column));
    exponent = exponent.slice(0, earlier);
    columns.forEach((column, j) => {
      const shift = Math.floor(Math.log2(column.reduce((most, entry) => Math.max(most, Math.abs(entry)), 0)));
      for (let i = 0; i <= j; i++) column[i] = (column[i] as number) * 2 ** -shift;
      exponent[j] = (exponent[j] as number) + shift;
    });
  }
  return rescaled({ q, k }, exponents, steps);
}

/** Multiplies column j of Q by 2^(exponent - m_j) and of K by the inverse, m_j in the middle of its exponents. */
function rescaled(
  { q, k }: AttentionFactors,
  exponents: Matrix,
  steps: readonly TriangularStep[],
): AttentionFactors | undefined {
  const width = q.cols;
  for (let j = 0; j < width; j++) {
    const present = steps.map((_, t) => t).filter((t) => j < (steps[t] as TriangularStep).q.length);
    const found = present.map((t) => exponents.data[t * width + j] as number);
    const [least, most] = [Math.min(...found), Math.max(...found)];
    if (!(most - least <= 2 * largestExponent)) return undefined;
    const middle = Math.round((least + most) / 2);
    for (const t of present) {
      const i = t * width + j;
      const scale = 2 ** ((exponents.data[i] as number) - middle);
      q.data[i] = (q.data[i] as number) * scale;
      k.data[i] = (k.data[i] as number) / scale;
    }
  }
  return { q, k };
}

function unitColumn(j: number): Float64Array {
  const column = new Float64Array(j + 1);
  column[j] = 1;
  return column;
}
