/** Claims of the SSD-duality paper that do not hold as they are stated, each with the command that shows it. */
import type { PlainObject } from '../../config/yaml-file.js';
import type { Correction } from '../study.js';

export const corrections: readonly Correction[] = [
  {
    claim: 'The kernel M of a diagonal SSM with N distinct decays has rank N (appendix C.3).',
    holds:
      'M is lower triangular with c·b on its diagonal, so its ordinary rank is T. What is N is the rank of the Vandermonde matrix of the decays, and the semiseparable order: the largest rank of a block on or below the diagonal.',
    command: 'run exp2',
    experiment: 'exp2',
    evidence: ({ T, N, kernel_rank, generator_rank, ss_order }) =>
      `T = ${T}, N = ${N}: kernel rank ${kernel_rank}, generator rank ${generator_rank}, semiseparable order ${ss_order}`,
  },
  {
    claim:
      'The attention matrix of softmax has full rank, where that of an SSM has rank N: no SSM of fixed size can be its dual (section 5).',
    holds:
      'The conclusion holds, the evidence does not carry it. Causal attention with equal scores has rank T as well, and semiseparable order 1: one state computes it. What counts is the rank of the block below the diagonal, P[T/2:, :T/2], and that grows with T.',
    command: 'run exp5',
    experiment: 'exp5',
    evidence: ({ ranks }) =>
      rowsOf(ranks)
        .map(({ T, kernel_rank, corner_rank }) => `T = ${T}: rank ${kernel_rank}, corner ${corner_rank}`)
        .join('; '),
  },
  {
    claim: 'The abstract speaks of lower bounds that match the O(NTd) cost of Algorithm 1.',
    holds:
      'What can be checked is an upper bound: Algorithm 1 has 4 N T d stage entries, and its time grows as T where that of the kernel product grows as T². That nothing cheaper exists is not shown by any count.',
    command: 'run exp4',
    experiment: 'exp4',
    evidence: ({ slope_recurrence: recurrence, slope_attention: attention }) =>
      typeof recurrence === 'number' && typeof attention === 'number'
        ? `times grow as T^${recurrence.toFixed(2)} and T^${attention.toFixed(2)}`
        : undefined,
  },
  {
    claim: 'Ranks and dual forms are stated for real numbers.',
    holds:
      'Float64 has limits. Evenly spaced decays cannot be told apart from about N = 20 on, and the semiseparable order at T = 64 from N = 12: such ranks are marked as saturated. The form with a single mask, C′ = c ⊙ P and B′ = b ⊘ P with cumulative products P, underflows: with decays 0.5 and 0.8 it is no longer finite at T = 1024. The sum over N heads, each mask built by recursion, has no such limit.',
    command: 'run exp3b --N-values 8 12 16 20 32',
    experiment: 'exp3b',
    evidence: ({ T, N_values, ss_order_mean }) =>
      `T = ${T}: for N = ${[N_values].flat().join(', ')} a mean order of ${[ss_order_mean].flat().join(', ')}`,
  },
  {
    claim: 'On WikiText-2 Mamba reaches a loss of 10.5 and SSD-Mamba 9.7 (Table 1).',
    holds:
      'If these are nats and the vocabulary has 20,000 words, guessing uniformly costs ln 20000 = 9.90: the baseline is worse than no model. A plausible cause is a tied embedding with standard normal weights, which begins near 33 nats. The comparison in a section of its own uses the initialisation of mamba_ssm; this command uses the other.',
    command: 'run wikitext2-comparison --init minimal --data-dir ./wikitext-2',
    experiment: 'wikitext2-comparison',
  },
];

function rowsOf(value: unknown): readonly PlainObject[] {
  return Array.isArray(value) ? value : [];
}
