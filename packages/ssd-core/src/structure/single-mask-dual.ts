/**
 * The dual of a diagonal SSM with a single mask of ones, where no decay is zero:
 *   M = tril(1) o (C' B'^T);  C'_t = c_t o P_t, B'_s = b_s / P_s, P_t = prod_{1<=k<=t} a_k
 * It divides by products of decays, so it is right only while those are normal float64 numbers, as 0.5^t is through
 * t = 1022. `widthDual` finds a dual of the same width beyond that.
 * Source: Hu et al. 2025, arXiv:2510.04944, section 4.
 */
import { ArgumentError } from '../errors.js';
import { checkDiagonalSsm, type DiagonalSsm } from './diagonal-ssm.js';
import { checkFinite, type Matrix, zeroMatrix } from './matrix.js';

/** 2^-1022: below, float64 numbers have fewer digits. */
const smallestNormal = 2 ** -1022;

/** Queries and keys of masked attention, both (T, N): M = tril(Q K^T). */
export interface AttentionFactors {
  readonly q: Matrix;
  readonly k: Matrix;
}

/**
 * Q = C' and K = B', (T, N) each, with tril(Q K^T) = `diagonalKernel(ssm)`. a_0 multiplies nothing and may be zero.
 * @throws {ArgumentError} naming the first t and its state where P_t is zero or leaves the normal range of float64.
 * @throws {ShapeError} naming what does not fit. @throws {NonFiniteError} when c_t P_t or b_t / P_t overflows.
 */
export function singleMaskDual(ssm: DiagonalSsm): AttentionFactors {
  const op = 'singleMaskDual';
  checkDiagonalSsm(op, ssm);
  const { seqLen, dState, a, b, c } = ssm;
  const q = zeroMatrix(seqLen, dState);
  const k = zeroMatrix(seqLen, dState);
  const product = new Float64Array(dState).fill(1);
  for (let t = 0; t < seqLen; t++) {
    for (let n = 0; n < dState; n++) {
      const i = t * dState + n;
      if (t > 0) product[n] = (product[n] as number) * (a[i] as number);
      checkProduct(op, product[n] as number, a[i] as number, t, n);
      q.data[i] = (c[i] as number) * (product[n] as number);
      k.data[i] = (b[i] as number) / (product[n] as number);
    }
  }
  checkFinite(op, "C' = c P", q);
  checkFinite(op, "B' = b / P", k);
  return { q, k };
}

function checkProduct(op: string, product: number, decay: number, t: number, n: number): void {
  const size = Math.abs(product);
  if (size >= smallestNormal && size < Number.POSITIVE_INFINITY) return;
  const where = `at t = ${t}, state ${n}`;
  let got = `overflow ${where}`;
  if (Number.isNaN(product)) got = `NaN ${where}`;
  else if (t > 0 && decay === 0) got = `a decay of 0 ${where}`;
  else if (size < smallestNormal) got = `underflow ${where}`;
  throw new ArgumentError({
    op,
    argument: 'ssm.a',
    wanted: 'products a[1] ... a[t] within the normal range of float64',
    got,
  });
}
