/** What the dual-condition experiment computes with. Tests put broken mathematics in its place. */
import {
  completeLowRank,
  type DiagonalSsm,
  diagonalKernel,
  householderSsmKernel,
  type Matrix,
  newColumns,
  semiseparableOrder,
  singleMaskDual,
  widthDual,
} from '@statespace/ssd-core/structure';
import type { Generator } from '@statespace/tensor';

/** Whether a 1-semiseparable dual of some width exists, and the dual itself where it does. */
export interface WidthDual {
  readonly exists: boolean;
  /** Diagonal blocks [begin, end) that hold all nonzeros. */
  readonly blocks: readonly { readonly begin: number; readonly end: number }[];
  /** (T, width) each: M = tril(Q K^T) inside the blocks. */
  readonly q?: Matrix | undefined;
  readonly k?: Matrix | undefined;
}

export interface DualMathematics {
  /** M (T, T) with y = M u. */
  readonly kernel: (ssm: DiagonalSsm) => Matrix;
  /** Every t with M[t:,t] outside the span of M[t:,:t]; singular values up to `tolerance` count as zero. */
  readonly newColumns: (matrix: Matrix, tolerance?: number) => readonly number[];
  /** A matrix of least rank that equals M on and below the diagonal. */
  readonly completion: (matrix: Matrix) => { readonly matrix: Matrix; readonly rank: number };
  /** The test of Theorem 4.1, and the dual it builds. */
  readonly widthDual: (matrix: Matrix, width: number) => WidthDual;
  /** max_t rank(M[t:, :t+1]). */
  readonly order: (matrix: Matrix) => number;
  /** Q, K (T, N) with M = tril(Q K^T). @throws {ArgumentError} where products of decays leave float64. */
  readonly singleMaskDual: (ssm: DiagonalSsm) => { readonly q: Matrix; readonly k: Matrix };
  /** Kernel of h[t] = (I - beta k k^T) h[t-1] + b u, y = c^T h, with random unit k. */
  readonly householderKernel: (seqLen: number, dState: number, beta: number, generator: Generator) => Matrix;
  /** Largest max|tril(Q K^T) - M| / max(1, max|M|) that passes for a dual. */
  readonly tolerance: number;
}

export const dualMathematics: DualMathematics = {
  kernel: diagonalKernel,
  newColumns,
  completion: completeLowRank,
  widthDual,
  order: semiseparableOrder,
  singleMaskDual,
  householderKernel: householderSsmKernel,
  // The completion solves a least-squares problem at every step; an independent one was off by 3e-10 at most.
  tolerance: 1e-8,
};
