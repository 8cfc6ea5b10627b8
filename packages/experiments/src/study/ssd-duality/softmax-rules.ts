/** Rules for the stored ranks of exp5 and exp5b: that of the corner grows with T, and statistics are those of the rows. */
import { z } from 'zod';
import { fullRankKeyWidth } from '../../builtin/ssd-duality/softmax-checks.js';
import { summarizeValues } from '../../experiment/statistics.js';
import { claimRule, equals, type RuleBreach, recomputed, within } from '../check-logs/claim-rules.js';

const rank = z.int().min(0);

const rankRow = z.looseObject({
  T: z.int().min(2),
  d_k: z.int().min(1),
  kernel_rank: rank,
  corner_rank: rank,
  gap: z.int(),
  tolerance: z.number().positive(),
});

/** Of the exact rank, as float64 sees it. */
const rankShare = 0.9;

function ranksHold(rows: readonly z.output<typeof rankRow>[]): (RuleBreach | false)[] {
  return rows.flatMap(({ T, d_k, kernel_rank, corner_rank, gap }, i) => {
    const field = (name: string): string => `ranks[${i}].${name}`;
    const half = Math.floor(T / 2);
    // Narrow keys make singular values fade below what float64 sees.
    const least = d_k >= fullRankKeyWidth ? rankShare : 0;
    return [
      within(field('corner_rank'), corner_rank, [least * half, half]),
      within(field('kernel_rank'), kernel_rank, [rankShare * T, T]),
      equals(field('gap'), gap, T - kernel_rank),
    ];
  });
}

export const exp5Rule = claimRule(
  z.looseObject({
    ranks: z.array(rankRow).min(1),
    witness_T: z.int(),
    witness_rank: rank,
    trap_rank: rank,
  }),
  (meta) => [
    ...ranksHold(meta.ranks),
    equals('witness_rank', meta.witness_rank, meta.witness_T),
    // 2 has order 31 modulo 2^31 - 1.
    equals('trap_rank', meta.trap_rank, 31),
  ],
);

const summarized = ['kernel_rank', 'corner_rank', 'gap'] as const;

export const exp5bRule = claimRule(
  z.looseObject({
    ranks: z.array(rankRow).min(1),
    seeds: z.array(z.int()).min(1),
    summary: z.array(z.looseObject({ T: z.int() })).min(1),
  }),
  (meta) => [
    ...ranksHold(meta.ranks),
    ...meta.summary.flatMap((stored, i) => {
      const own = meta.ranks.filter(({ T }) => T === stored.T);
      return [
        equals(`summary[${i}]`, own.length, meta.seeds.length),
        ...summarized.flatMap((name) => {
          const { mean, std } = summarizeValues(own.map((row) => row[name]));
          return [
            recomputed(`summary[${i}].${name}_mean`, numberAt(stored, `${name}_mean`), mean),
            recomputed(`summary[${i}].${name}_std`, numberAt(stored, `${name}_std`), std),
          ];
        }),
      ];
    }),
  ],
);

function numberAt(row: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const value = row[name];
  return typeof value === 'number' ? value : undefined;
}
