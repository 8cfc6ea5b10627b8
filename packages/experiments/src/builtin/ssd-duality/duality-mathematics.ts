/** What the algebra experiments of the duality study compute with. Tests put broken mathematics in its place. */
import {
  type DiagonalSsm,
  diagonalKernel,
  generatorRank,
  headKernels,
  kernelRank,
  type Matrix,
  oneSemiseparable,
  runDiagonalSsm,
  semiseparableOrder,
} from '@statespace/ssd-core/structure';

export interface DualityMathematics {
  /** 1SS(a) (T, T): entry [t,s] is a[s+1] ... a[t] on and below the diagonal, 0 above. */
  readonly mask: (a: Float64Array) => Matrix;
  /** M (T, T) with y = M u. */
  readonly kernel: (ssm: DiagonalSsm) => Matrix;
  /** N matrices (T, T): 1SS(a_n) o (c_n b_n^T). */
  readonly heads: (ssm: DiagonalSsm) => Matrix[];
  /** y (T) from u (T): h[t] = a[t] h[t-1] + b[t] u[t], y[t] = c[t]^T h[t], h[-1] = 0. */
  readonly recurrence: (ssm: DiagonalSsm, u: Float64Array) => Float64Array;
  /** Rank of the Vandermonde matrix lambda_n^k (T, N), by singular values. */
  readonly generatorRank: (decays: readonly number[], seqLen: number) => number;
  /** max_t rank(M[t:, :t+1]), the diagonal included. */
  readonly order: (matrix: Matrix) => number;
  /** Ordinary rank. */
  readonly kernelRank: (matrix: Matrix) => number;
  /** Largest max|y - z| / max(1, max|z|) that passes for equal outputs. */
  readonly tolerance: number;
}

export const dualityMathematics: DualityMathematics = {
  mask: oneSemiseparable,
  kernel: diagonalKernel,
  heads: headKernels,
  recurrence: runDiagonalSsm,
  generatorRank: (decays, seqLen) => generatorRank(decays, seqLen).rank,
  order: semiseparableOrder,
  kernelRank,
  // Sums of up to a thousand terms that do not decay come to 2e-13; wrong mathematics is off by more than 1e-9.
  tolerance: 1e-12,
};
