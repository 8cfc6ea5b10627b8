/**
 * Operation counts of the two forms of a diagonal SSM on inputs X (T, d).
 *
 * Algorithm 1 has four stages, for each state n: Z^n = b^n o X; H^n = scan(a^n, Z^n); Y^n = c^n o H^n;
 * Y = sum_n Y^n. The paper counts one unit for each entry and stage, 4 N T d in all. Counting multiplications and
 * additions gives 5 N T d - 2 N d - T d, up to a quarter more. Either is what an algorithm takes, an upper bound; it
 * is no lower bound on what any algorithm must take.
 * Source: Hu et al. 2025, arXiv:2510.04944, Algorithm 1 and Remark 4.2.
 */
import { checkCount } from './matrix.js';

/** Multiplications and additions. */
export interface OperationCount {
  readonly multiplies: number;
  readonly adds: number;
  readonly total: number;
}

export interface StageFlops {
  /** Entries of each stage of Algorithm 1, N T d, and of all four. */
  readonly units: {
    readonly input: number;
    readonly scan: number;
    readonly output: number;
    readonly sum: number;
    readonly total: number;
  };
  /** Algorithm 1, or the recurrence. */
  readonly recurrence: OperationCount;
  /** Building the kernel M (T, T) by the forward recursion of its heads. */
  readonly kernel: OperationCount;
  /** Y = M X, below and on the diagonal. */
  readonly product: OperationCount;
  /** kernel and product. */
  readonly attention: OperationCount;
}

/**
 * Counts for T steps, N states and inputs of `width` d.
 * @throws {ArgumentError} unless all are integers, seqLen and dState at least 1, width at least 0.
 */
export function stageFlops({
  seqLen,
  dState,
  width,
}: {
  readonly seqLen: number;
  readonly dState: number;
  readonly width: number;
}): StageFlops {
  checkCount('stageFlops', 'seqLen', seqLen, 1);
  checkCount('stageFlops', 'dState', dState, 1);
  checkCount('stageFlops', 'width', width, 0);
  const stage = dState * seqLen * width;
  const below = (seqLen * (seqLen - 1)) / 2;
  const causal = below + seqLen;
  // The first step of a scan multiplies and adds nothing; nor does the first head of a sum add.
  const scan = dState * (seqLen - 1) * width;
  const recurrence = count(2 * stage + scan, scan + (dState - 1) * seqLen * width);
  // Each head: a_t times the row above, b_s kept in it; then c_t times the row.
  const kernel = count(dState * (below + causal), (dState - 1) * causal);
  const product = count(causal * width, below * width);
  return {
    units: { input: stage, scan: stage, output: stage, sum: stage, total: 4 * stage },
    recurrence,
    kernel,
    product,
    attention: count(kernel.multiplies + product.multiplies, kernel.adds + product.adds),
  };
}

function count(multiplies: number, adds: number): OperationCount {
  return { multiplies, adds, total: multiplies + adds };
}
