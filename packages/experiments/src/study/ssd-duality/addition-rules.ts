/** Rules for the stored numbers of the experiments that the original does not have. */
import { z } from 'zod';
import { atMost, claimRule, equals, type RuleBreach, recomputed } from '../check-logs/claim-rules.js';

/** Of a dual against its kernel, relative to the largest entry. */
const dualTolerance = 1e-8;
/** Chunked scans in float32. */
const chunkTolerance = 1.6e-5;
/** All binary lower-triangular 4 x 4 matrices. */
const binaryMatrices = 1024;

export const dualConditionRule = claimRule(
  z.looseObject({
    binary_matrices: z.int(),
    binary_completion_rank_equals_new_columns: z.int(),
    random_kernels: z
      .array(
        z.looseObject({
          T: z.int(),
          N: z.int(),
          new_columns: z.int(),
          dual_exists: z.boolean(),
          narrower_exists: z.boolean(),
          max_error: z.number(),
        }),
      )
      .min(1),
    worst_error: z.number(),
    bidiagonal: z.looseObject({ ss_order: z.int(), new_columns: z.int() }),
    identity_plus_corner: z.array(z.looseObject({ T: z.int(), ss_order: z.int(), new_columns: z.int() })),
  }),
  (meta) => [
    equals('binary_matrices', meta.binary_matrices, binaryMatrices),
    equals(
      'binary_completion_rank_equals_new_columns',
      meta.binary_completion_rank_equals_new_columns,
      binaryMatrices,
    ),
    ...meta.random_kernels.flatMap((row, i) => {
      const field = (name: string): string => `random_kernels[${i}].${name}`;
      return [
        equals(field('new_columns'), row.new_columns, Math.min(row.N, row.T)),
        isTrue(field('dual_exists'), row.dual_exists),
        isTrue(field('narrower_exists'), !row.narrower_exists),
        atMost(field('max_error'), row.max_error, dualTolerance),
      ];
    }),
    recomputed('worst_error', meta.worst_error, Math.max(...meta.random_kernels.map((row) => row.max_error))),
    equals('bidiagonal.ss_order', meta.bidiagonal.ss_order, 2),
    equals('bidiagonal.new_columns', meta.bidiagonal.new_columns, 3),
    ...meta.identity_plus_corner.flatMap(({ T, ss_order, new_columns }, i) => [
      equals(`identity_plus_corner[${i}].ss_order`, ss_order, 2),
      equals(`identity_plus_corner[${i}].new_columns`, new_columns, T - 1),
    ]),
  ],
);

function isTrue(field: string, value: boolean): RuleBreach | false {
  return !value && { field, message: 'is not as Theorem 4.1 says' };
}

const share = z.number().min(0);

export const precisionRule = claimRule(
  z.looseObject({
    errors: z
      .array(
        z.looseObject({ scheme: z.string(), a: z.number(), T: z.int(), mean: share, min: share, max: share }),
      )
      .min(1),
    chunked: z.array(z.looseObject({ chunk_size: z.int(), error: share })).optional(),
  }),
  ({ errors, chunked = [] }) => [
    ...errors.flatMap(({ scheme, mean, min, max }, i) => {
      const unit = unitRoundoff[scheme];
      const message = `expected from min ${min} to max ${max}, got ${mean}`;
      return [
        (mean < min || mean > max) && { field: `errors[${i}].mean`, message },
        // State and log-decay in f32: what is left is that inputs and outputs are stored, a rounding each.
        unit !== undefined && atMost(`errors[${i}].mean`, mean, 2 * unit),
      ];
    }),
    ...chunked.map(({ error }, i) => atMost(`chunked[${i}].error`, error, chunkTolerance)),
  ],
);

const unitRoundoff: Readonly<Record<string, number>> = {
  'bf16, state f32': 2 ** -8,
  'f16, state f32': 2 ** -11,
};
