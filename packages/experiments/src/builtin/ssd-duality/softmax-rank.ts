/**
 * Ranks of causal softmax attention (section 5 of the paper): what a state at T/2 would have to hold grows with T, where
 * a state-space model with N states needs N. The numbers behind the experiments exp5 and exp5b.
 */
import {
  type DiagonalSsm,
  diagonalKernel,
  type Matrix,
  singularValues,
} from '@statespace/ssd-core/structure';
import type { Generator } from '@statespace/tensor';
import { type Summary, summarizeValues } from '../../experiment/statistics.js';
import { causalSoftmax, cornerBlock, randomScores } from './softmax-kernel.js';

/** What the study computes with. Tests put broken mathematics in its place. */
export interface SoftmaxMathematics {
  /** Attention (T, T) from scores (T, T). */
  readonly attention: (scores: Matrix) => Matrix;
  /** Kernel (T, T) of a diagonal SSM. */
  readonly ssmKernel: (ssm: DiagonalSsm) => Matrix;
  /** Singular values at or below this count as zero. */
  readonly tolerance: (rows: number, cols: number, largest: number) => number;
}

export const softmaxMathematics: SoftmaxMathematics = {
  attention: causalSoftmax,
  ssmKernel: diagonalKernel,
  // The rule of NumPy's matrix_rank: what rounding may make of a zero.
  tolerance: (rows, cols, largest) => Math.max(rows, cols) * 2 ** -52 * largest,
};

/** Singular values of a matrix, and how many count. */
export interface Spectrum {
  /** Descending. */
  readonly values: Float64Array;
  readonly tolerance: number;
  readonly rank: number;
}

export function spectrumOf(matrix: Matrix, maths: SoftmaxMathematics): Spectrum {
  const values = singularValues(matrix);
  const tolerance = maths.tolerance(matrix.rows, matrix.cols, values[0] ?? 0);
  return { values, tolerance, rank: values.filter((value) => value > tolerance).length };
}

/** Ranks of one random attention matrix, as the tables and logs hold them. */
export interface RankRow extends Readonly<Record<string, number>> {
  readonly T: number;
  readonly d_k: number;
  readonly seed: number;
  /** Ordinary rank of P. */
  readonly kernel_rank: number;
  /** Rank of P[T/2:, :T/2]. */
  readonly corner_rank: number;
  /** T - kernel_rank. */
  readonly gap: number;
  /** Of the kernel rank; absolute. */
  readonly tolerance: number;
}

export interface AttentionRanks {
  readonly row: RankRow;
  readonly attention: Matrix;
  readonly corner: Spectrum;
}

/** Draws queries and keys of width `dK`, and takes ranks of their attention. */
export function attentionRanks(
  seqLen: number,
  dK: number,
  generator: Generator,
  maths: SoftmaxMathematics = softmaxMathematics,
): AttentionRanks {
  const attention = maths.attention(randomScores(seqLen, dK, generator));
  const kernel = spectrumOf(attention, maths);
  const corner = spectrumOf(cornerBlock(attention), maths);
  const row: RankRow = {
    T: seqLen,
    d_k: dK,
    seed: generator.seed,
    kernel_rank: kernel.rank,
    corner_rank: corner.rank,
    gap: seqLen - kernel.rank,
    tolerance: kernel.tolerance,
  };
  return { row, attention, corner };
}

/** Ranks at one length over seeds. */
export interface RankSummary {
  readonly T: number;
  readonly kernel_rank: Summary;
  readonly corner_rank: Summary;
  readonly gap: Summary;
}

/** One entry for each length, in the order of the rows. */
export function summarizeRanks(rows: readonly RankRow[]): RankSummary[] {
  return [...new Set(rows.map(({ T }) => T))].map((T) => {
    const own = rows.filter((row) => row.T === T);
    const over = (field: 'kernel_rank' | 'corner_rank' | 'gap') =>
      summarizeValues(own.map((row) => row[field]));
    return { T, kernel_rank: over('kernel_rank'), corner_rank: over('corner_rank'), gap: over('gap') };
  });
}
