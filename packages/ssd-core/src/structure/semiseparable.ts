/**
 * Kernels of diagonal SSMs: lower-triangular matrices M with y = M u, and the heads they are sums of.
 *   M[t,s] = sum_n c_t[n] (prod_{k=s+1..t} a_k[n]) b_s[n]  for s <= t
 *   M = sum_n 1SS(a[:,n]) o (c[:,n] b[:,n]^T)
 * Source: Hu et al. 2025, arXiv:2510.04944, section 4.1; Dao & Gu 2024, arXiv:2405.21060, section 3.
 */
import { checkDiagonalSsm, type DiagonalSsm } from './diagonal-ssm.js';
import { type Matrix, zeroMatrix } from './matrix.js';

/**
 * The mask 1SS(a) (T, T) of decays a (T): prod_{k=s+1..t} a_k on and below the diagonal, 1 for no factors, 0 above.
 *
 * a[0] multiplies nothing. Rows follow from each other, 1SS[t,s] = a_t 1SS[t-1,s]: a quotient of cumulative products
 * would divide by zero decays and by products that underflow.
 */
export function oneSemiseparable(a: Float64Array): Matrix {
  const seqLen = a.length;
  const mask = zeroMatrix(seqLen, seqLen);
  for (let t = 0; t < seqLen; t++) {
    for (let s = 0; s < t; s++) {
      mask.data[t * seqLen + s] = (a[t] as number) * (mask.data[(t - 1) * seqLen + s] as number);
    }
    mask.data[t * seqLen + t] = 1;
  }
  return mask;
}

/**
 * The kernel M (T, T) of a diagonal SSM, O(N T^2).
 * @throws {ShapeError | ArgumentError} naming what does not fit.
 */
export function diagonalKernel(ssm: DiagonalSsm): Matrix {
  checkDiagonalSsm('diagonalKernel', ssm);
  const { seqLen, dState } = ssm;
  const kernel = zeroMatrix(seqLen, seqLen);
  const row = new Float64Array(seqLen);
  for (let n = 0; n < dState; n++) {
    row.fill(0);
    for (let t = 0; t < seqLen; t++) {
      advanceHead(ssm, n, t, row);
      const weight = ssm.c[t * dState + n] as number;
      for (let s = 0; s <= t; s++) {
        const i = t * seqLen + s;
        kernel.data[i] = (kernel.data[i] as number) + weight * (row[s] as number);
      }
    }
  }
  return kernel;
}

/**
 * The N heads 1SS(a[:,n]) o (c[:,n] b[:,n]^T), each (T, T); they sum to `diagonalKernel(ssm)`.
 * @throws {ShapeError | ArgumentError} naming what does not fit.
 */
export function headKernels(ssm: DiagonalSsm): Matrix[] {
  checkDiagonalSsm('headKernels', ssm);
  const { seqLen, dState, b, c } = ssm;
  return Array.from({ length: dState }, (_, n) => {
    const column = (values: Float64Array) => values.filter((_value, i) => i % dState === n);
    const [from, to] = [column(b), column(c)];
    const mask = oneSemiseparable(column(ssm.a));
    const data = mask.data.map(
      (entry, i) => entry * (to[Math.floor(i / seqLen)] as number) * (from[i % seqLen] as number),
    );
    return { ...mask, data };
  });
}

/** Takes row[s] = (prod_{k=s+1..t-1} a_k) b_s, s < t, one step on, and appends b_t. */
function advanceHead({ dState, a, b }: DiagonalSsm, n: number, t: number, row: Float64Array): void {
  const decay = a[t * dState + n] as number;
  for (let s = 0; s < t; s++) row[s] = decay * (row[s] as number);
  row[t] = b[t * dState + n] as number;
}
