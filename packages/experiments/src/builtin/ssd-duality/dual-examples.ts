/** Kernels without a narrow dual, although their order is low: what a singular A_t does. */

import { ArgumentError } from '@statespace/ssd-core';
import {
  bidiagonalExample,
  bidiagonalSsm,
  constantDiagonalSsm,
  identityPlusCorner,
  identityPlusCornerSsm,
  type Matrix,
} from '@statespace/ssd-core/structure';
import { Generator } from '@statespace/tensor';
import type { Check } from '../../experiment/result.js';
import type { DualMathematics } from './dual-mathematics.js';
import { dualError } from './dual-random.js';
import { outputDifference } from './equivalence.js';

/** Order and new columns of one example. */
export interface ExampleFindings {
  readonly order: number;
  readonly newColumns: number;
}

function findingsOf(matrix: Matrix, maths: DualMathematics): ExampleFindings {
  return { order: maths.order(matrix), newColumns: maths.newColumns(matrix).length };
}

/** Remark 3.1: order 2 and a sum of two heads, and yet no dual of width 2. */
export function bidiagonalFindings(maths: DualMathematics): ExampleFindings & { readonly checks: Check[] } {
  const matrix = bidiagonalExample();
  const { order, newColumns } = findingsOf(matrix, maths);
  const widths = [2, 3].map((width) => maths.widthDual(matrix, width));
  const [two, three] = widths as [(typeof widths)[0], (typeof widths)[0]];
  const error = dualError(matrix, three);
  const heads = outputDifference(maths.kernel(bidiagonalSsm()).data, matrix.data).maxAbs;
  return {
    order,
    newColumns,
    checks: [
      {
        claim: 'the bidiagonal 4×4 matrix has order 2 and 3 new columns: a dual of width 3, none of width 2',
        passed: order === 2 && newColumns === 3 && !two.exists && error <= maths.tolerance,
        found: `order ${order}, ${newColumns} new columns, error ${error.toExponential(1)} at width 3`,
      },
      {
        claim: 'and yet it is a sum of two 1-SS heads, with decays 0 and 1',
        passed: heads === 0,
        found: `max|ΔM| = ${heads}`,
      },
    ],
  };
}

const cornerLengths = [4, 8, 16, 32];

/** Proposition 5.1: order 2, and as many new columns as there are steps, but one. */
export function cornerFindings(maths: DualMathematics) {
  const rows = cornerLengths.map((seqLen) => {
    const matrix = identityPlusCorner(seqLen);
    const difference = outputDifference(maths.kernel(identityPlusCornerSsm(seqLen)).data, matrix.data).maxAbs;
    return { T: seqLen, ...findingsOf(matrix, maths), difference };
  });
  const right = rows.filter(
    ({ T, order, newColumns, difference }) => order === 2 && newColumns === T - 1 && difference === 0,
  );
  const check: Check = {
    claim: `I + E_{T,1} has order 2 and T - 1 new columns for T = ${cornerLengths.join(', ')}, and is a diagonal SSM`,
    passed: right.length === rows.length,
    found: rows.map(({ newColumns }) => newColumns).join(', '),
  };
  return {
    rows: rows.map(({ T, order, newColumns }) => ({ T, ss_order: order, new_columns: newColumns })),
    check,
  };
}

/** Length and numbers of states of the sweep. */
export const sweepLength = 16;
export const sweepStates = [2, 3, 4] as const;

/**
 * Rounding leaves I - k k^T regular by 2^-53, and a small projection in the next step can magnify that a hundredfold:
 * more than the tolerance of a rank forgives. Entries of these kernels are about 1.
 */
export const sweepTolerance = 1e-12;

export interface SweepRow extends Readonly<Record<string, number>> {
  readonly N: number;
  readonly beta: number;
  readonly new_columns: number;
}

/** DeltaNet's transition I - beta k k^T loses a direction at beta = 1 alone. */
export function betaSweep(betas: readonly number[], seed: number, maths: DualMathematics): SweepRow[] {
  return sweepStates.flatMap((dState) =>
    betas.map((beta) => {
      const matrix = maths.householderKernel(sweepLength, dState, beta, new Generator(seed, dState));
      return { N: dState, beta, new_columns: maths.newColumns(matrix, sweepTolerance).length };
    }),
  );
}

export function sweepChecks(rows: readonly SweepRow[]): Check[] {
  const regular = rows.filter(({ beta }) => beta !== 1);
  const singular = rows.filter(({ beta }) => beta === 1);
  const few = regular.filter((row) => row.new_columns === row.N).length;
  const many = singular.filter((row) => row.new_columns === sweepLength - row.N + 1).length;
  return [
    {
      claim: 'a DeltaNet kernel of N states has N new columns where I - βkkᵀ is regular',
      passed: few === regular.length,
      found: `${few} of ${regular.length}`,
    },
    {
      claim: `and ${sweepLength} - N + 1 of ${sweepLength} where β = 1 makes it singular`,
      passed: many === singular.length,
      found:
        singular.map((row) => `${row.new_columns} for N = ${row.N}`).join(', ') ||
        'β = 1 is not in the sweep',
    },
  ];
}

/** Lengths at which 0.5^T is a float64 number, and is none. */
const [lengthInRange, lengthOutOfRange] = [512, 1024];

/** The dual with one mask of ones divides by products of decays: exact in range, and refused out of it. */
export function singleMaskFindings(maths: DualMathematics): {
  readonly error: number;
  readonly check: Check;
} {
  const ssm = constantDiagonalSsm(lengthInRange, [0.5, 0.8]);
  const { q, k } = maths.singleMaskDual(ssm);
  const blocks = [{ begin: 0, end: lengthInRange }];
  const error = dualError(maths.kernel(ssm), { exists: true, blocks, q, k });
  const refused = refuses(() => maths.singleMaskDual(constantDiagonalSsm(lengthOutOfRange, [0.5, 0.8])));
  return {
    error,
    check: {
      claim: `tril(C'B'ᵀ) is the kernel at T = ${lengthInRange}; at ${lengthOutOfRange}, where 0.5^T underflows, it is refused`,
      passed: error <= 1e-12 && refused,
      found: `error ${error.toExponential(1)}, ${refused ? 'refused' : 'not refused'}`,
    },
  };
}

function refuses(work: () => unknown): boolean {
  try {
    work();
    return false;
  } catch (error) {
    if (error instanceof ArgumentError) return true;
    throw error;
  }
}
