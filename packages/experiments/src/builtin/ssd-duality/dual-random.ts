/** Theorem 4.1 on random diagonal kernels: N new columns, a dual of width N, none of width N - 1. */
import { causalProduct, type Matrix } from '@statespace/ssd-core/structure';
import type { Check } from '../../experiment/result.js';
import type { DualMathematics, WidthDual } from './dual-mathematics.js';
import { randomSlowSsm } from './low-rank.js';

export interface RandomDualParams {
  readonly seqLens: readonly number[];
  readonly dState: number;
  /** Kernels of each length. */
  readonly kernels: number;
  readonly seed: number;
}

/** One kernel, as the tables and logs hold it. */
export interface RandomDualRow extends Readonly<Record<string, unknown>> {
  readonly T: number;
  readonly N: number;
  readonly seed: number;
  readonly new_columns: number;
  readonly dual_exists: boolean;
  readonly narrower_exists: boolean;
  /** max|tril(Q K^T) - M| / max(1, max|M|). */
  readonly max_error: number;
}

/** Kernels with decays U(0.92, 0.999): with faster ones the columns of the past fade below rounding. */
export function* randomDuals(
  { seqLens, dState, kernels, seed }: RandomDualParams,
  maths: DualMathematics,
): Generator<RandomDualRow, void> {
  for (const seqLen of seqLens) {
    for (let kernel = 0; kernel < kernels; kernel++) {
      const drawn = seed + kernel;
      const matrix = maths.kernel(randomSlowSsm(seqLen, dState, drawn));
      const dual = maths.widthDual(matrix, dState);
      yield {
        T: seqLen,
        N: dState,
        seed: drawn,
        new_columns: maths.newColumns(matrix).length,
        dual_exists: dual.exists,
        narrower_exists: dState > 1 && maths.widthDual(matrix, dState - 1).exists,
        max_error: dualError(matrix, dual),
      };
    }
  }
}

/** max|M' - M| / max(1, max|M|) with M' = tril(Q K^T) inside the blocks and 0 outside. */
export function dualError(matrix: Matrix, { exists, blocks, q, k }: WidthDual): number {
  if (!exists || q === undefined || k === undefined) return Number.POSITIVE_INFINITY;
  const product = causalProduct(q, k);
  const { cols, data } = matrix;
  let [worst, largest] = [0, 1];
  for (const [i, entry] of data.entries()) {
    const [t, s] = [Math.floor(i / cols), i % cols];
    const inside = blocks.some(({ begin, end }) => begin <= s && s <= t && t < end);
    const difference = Math.abs((inside ? (product.data[i] as number) : 0) - entry);
    // NaN compares false with everything: it must not pass for agreement.
    if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
    worst = Math.max(worst, difference);
    largest = Math.max(largest, Math.abs(entry));
  }
  return worst / largest;
}

export function randomDualChecks(rows: readonly RandomDualRow[], tolerance: number): Check[] {
  const columns = rows.filter((row) => row.new_columns === Math.min(row.N, row.T)).length;
  const narrow = rows.filter((row) => row.narrower_exists).length;
  const worst = Math.max(...rows.map((row) => row.max_error));
  const many = rows.length > 0;
  return [
    {
      claim: 'a random diagonal kernel of N states has N new columns',
      passed: many && columns === rows.length,
      found: `${columns} of ${rows.length}`,
    },
    {
      claim: `it has a 1-SS dual of width N that gives it back to ${tolerance} of max(1, max|M|)`,
      passed: many && rows.every((row) => row.dual_exists) && worst <= tolerance,
      found: `max|ΔM| / max(1, max|M|) = ${worst.toExponential(1)}`,
    },
    {
      claim: 'it has none of width N - 1',
      passed: narrow === 0,
      found: `${narrow} of ${rows.length} have one`,
    },
  ];
}
