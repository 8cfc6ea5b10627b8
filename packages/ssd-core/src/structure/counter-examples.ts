/**
 * Kernels of low semiseparable order without a narrow 1-SS dual. What stands in the way is a singular transition A_t:
 * it forgets a direction of the state, and the columns after it are new.
 * Source: Hu et al. 2025, arXiv:2510.04944, Remark 3.1 and Proposition 5.1 (PMLR numbers 3.1 and 4.1).
 */
import type { DiagonalSsm } from './diagonal-ssm.js';
import { checkCount, type Matrix } from './matrix.js';
import { diagonalKernel } from './semiseparable.js';

/**
 * A sum of two 1-SS heads of length 4 with decays of 1 and 0 in turn, b = c = 1: the first head links steps 0-1 and
 * 2-3, the second 1-2.
 */
export function bidiagonalSsm(): DiagonalSsm {
  const ones = () => new Float64Array(8).fill(1);
  return { seqLen: 4, dState: 2, a: Float64Array.of(1, 1, 1, 0, 0, 1, 1, 0), b: ones(), c: ones() };
}

/** The kernel of `bidiagonalSsm`: 2 on the diagonal, 1 below. Order 2, three new columns, no dual of width 2. */
export function bidiagonalExample(): Matrix {
  return diagonalKernel(bidiagonalSsm());
}

/**
 * I + E_{T,1} as a diagonal SSM of two states, a_t = (0, 1): one forgets at once, one carries u_0 to the last step.
 * @throws {ArgumentError} unless `seqLen` is an integer of 2 or more.
 */
export function identityPlusCornerSsm(seqLen: number): DiagonalSsm {
  checkCount('identityPlusCornerSsm', 'seqLen', seqLen, 2);
  const pairs = (entry: (t: number) => readonly [number, number]): Float64Array =>
    Float64Array.from(Array.from({ length: seqLen }, (_, t) => entry(t)).flat());
  return {
    seqLen,
    dState: 2,
    a: pairs(() => [0, 1]),
    b: pairs((t) => [1, t === 0 ? 1 : 0]),
    c: pairs((t) => [1, t === seqLen - 1 ? 1 : 0]),
  };
}

/** The kernel of `identityPlusCornerSsm`: order 2, T - 1 new columns. @throws {ArgumentError} as there. */
export function identityPlusCorner(seqLen: number): Matrix {
  return diagonalKernel(identityPlusCornerSsm(seqLen));
}
