/**
 * Rules for the stored numbers of exp1 to exp3b: outputs agree, and ranks are what theory says of the stored decays.
 * Where float64 cannot tell decays apart, a rank may be less than the theory's, and never more.
 */
import { constantDiagonalSsm, diagonalKernel, vandermonde } from '@statespace/ssd-core/structure';
import { z } from 'zod';
import {
  clearRank,
  exactOrder,
  middleBlock,
  type RankFinding,
  rankHolds,
} from '../../builtin/ssd-duality/rank-check.js';
import { summarizeValues } from '../../experiment/statistics.js';
import { atMost, claimRule, equals, type RuleBreach, recomputed } from '../check-logs/claim-rules.js';

const tolerance = 1e-12;

const length = z.int().min(1);
const rank = z.int().min(0);
const decayList = z.array(z.number()).min(1);

/** Of outputs that were compared: the largest difference, and what it is relative to, max(1, max|y|). */
const compared = { max_abs_diff: z.number(), output_scale: z.number().min(1) };

function outputsAgree(meta: {
  readonly max_abs_diff: number;
  readonly output_scale: number;
}): RuleBreach | false {
  return atMost('max_abs_diff', meta.max_abs_diff, tolerance * meta.output_scale);
}

export const exp1Rule = claimRule(z.looseObject({ ...compared }), (meta) => [outputsAgree(meta)]);

export const exp2Rule = claimRule(
  z.looseObject({
    ...compared,
    T: length,
    decays: decayList,
    N: z.int(),
    head_norms: z.array(z.number()),
    generator_rank: rank,
    ss_order: rank,
    kernel_rank: rank,
  }),
  ({ T, decays, N, ...meta }) => {
    const distinct = new Set(decays).size;
    const kernel = diagonalKernel(constantDiagonalSsm(T, decays));
    const generator = { exact: Math.min(T, distinct), clear: clearRank(vandermonde(decays, T)) };
    const order = { exact: exactOrder(distinct, T), clear: clearRank(middleBlock(kernel)) };
    return [
      outputsAgree(meta),
      equals('N', N, decays.length),
      equals('head_norms', meta.head_norms.length, N),
      rankIs('generator_rank', { found: meta.generator_rank, ...generator }),
      rankIs('ss_order', { found: meta.ss_order, ...order }),
      equals('kernel_rank', meta.kernel_rank, T),
    ];
  },
);

export const exp2bRule = claimRule(
  z.looseObject({ ...compared, T: length, N: length, ss_order: rank, head_norms: z.array(z.number()) }),
  ({ T, N, ...meta }) => [
    outputsAgree(meta),
    equals('head_norms', meta.head_norms.length, N),
    atMost('ss_order', meta.ss_order, exactOrder(N, T)),
  ],
);

const rankRow = z.looseObject({
  T: length,
  decays: decayList,
  theory: rank,
  generator_rank: rank,
  ss_order: rank,
  kernel_rank: rank,
  saturated: z.boolean(),
});

export const exp3Rule = claimRule(z.looseObject({ ...compared, rows: z.array(rankRow).min(1) }), (meta) => [
  outputsAgree(meta),
  ...meta.rows.flatMap(({ T, decays, saturated, ...row }, i) => {
    const distinct = new Set(decays).size;
    const field = (name: string): string => `rows[${i}].${name}`;
    // What b and c were is not stored: of a saturated row only the upper bounds are known.
    const finding = (found: number, exact: number) => ({ found, exact, clear: saturated ? 0 : exact });
    return [
      equals(field('theory'), row.theory, Math.min(T, distinct)),
      rankIs(field('generator_rank'), finding(row.generator_rank, Math.min(T, distinct))),
      rankIs(field('ss_order'), finding(row.ss_order, exactOrder(distinct, T))),
      equals(field('kernel_rank'), row.kernel_rank, T),
    ];
  }),
]);

const perSeed = z.array(z.array(rank).min(1));

export const exp3bRule = claimRule(
  z.looseObject({
    ...compared,
    N_values: z.array(length).min(1),
    T: length,
    generator_ranks: perSeed,
    ss_orders: perSeed,
    generator_rank_mean: z.array(z.number()),
    generator_rank_std: z.array(z.number()),
    ss_order_mean: z.array(z.number()),
    ss_order_std: z.array(z.number()),
    saturated: z.array(z.boolean()),
  }),
  (meta) => [
    outputsAgree(meta),
    ...meta.N_values.flatMap((N, i) => {
      const saturated = meta.saturated[i] ?? false;
      const exact = { generator: Math.min(N, meta.T), order: exactOrder(N, meta.T) };
      const statistics = (name: 'generator_rank' | 'ss_order', ranks: readonly number[] = []) => {
        const { mean, std } = summarizeValues(ranks);
        return [
          recomputed(`${name}_mean[${i}]`, meta[`${name}_mean`][i], mean),
          recomputed(`${name}_std[${i}]`, meta[`${name}_std`][i], std),
        ];
      };
      const ranksAre = (name: 'generator_ranks' | 'ss_orders', exactRank: number) =>
        (meta[name][i] ?? []).map((found, j) =>
          rankIs(`${name}[${i}][${j}]`, { found, exact: exactRank, clear: saturated ? 0 : exactRank }),
        );
      return [
        ...ranksAre('generator_ranks', exact.generator),
        ...ranksAre('ss_orders', exact.order),
        ...statistics('generator_rank', meta.generator_ranks[i]),
        ...statistics('ss_order', meta.ss_orders[i]),
      ];
    }),
  ],
);

function rankIs(field: string, finding: RankFinding): RuleBreach | false {
  const { found, exact, clear } = finding;
  const wanted = clear < exact ? `from ${clear} to ${exact}` : String(exact);
  return !rankHolds(finding) && { field, message: `expected rank ${wanted}, got ${found}` };
}
