/** What the precision study claims, checked on its rows. */
import { Generator } from '@statespace/tensor';
import type { Check } from '../../experiment/result.js';
import type { ChunkRow } from './chunk-precision.js';
import { outputDifference } from './equivalence.js';
import type { PrecisionMathematics, PrecisionRow } from './precision.js';
import { type PrecisionScheme, toBfloat16 } from './rounded-recurrence.js';

/** Mean errors that were measured elsewhere with other draws, and the band that other seeds stay in. */
const measured = [
  { scheme: 'f32', a: 0.999, T: 4096, error: 5.6e-6, band: [1e-6, 2e-5] },
  { scheme: 'bf16', a: 0.99, T: 1024, error: 0.16, band: [0.05, 0.3] },
  { scheme: 'bf16', a: 0.999, T: 4096, error: 0.82, band: [0.4, 2] },
] as const;

/** The errors of section 8.3 come out again; those whose decay or length was not asked for are left out. */
export function measuredErrors(rows: readonly PrecisionRow[]): Check[] {
  return measured.flatMap(({ scheme, a, T, error, band: [least, most] }) => {
    const row = find(rows, scheme, a, T);
    if (row === undefined) return [];
    return [
      {
        claim: `${scheme} at a = ${a}, T = ${T}: mean error from ${short(least)} to ${short(most)}, ${short(error)} in another draw`,
        passed: row.mean >= least && row.mean <= most,
        found: short(row.mean),
      },
    ];
  });
}

/** The reference itself, against the sum that defines it. */
export function referenceIsConvolution(decays: readonly number[], { exact }: PrecisionMathematics): Check {
  const u = new Generator(11).normal(200);
  const worst = Math.max(
    ...decays.map((a) => {
      const sums = u.map((_, t) => {
        let sum = 0;
        for (let s = 0; s <= t; s++) sum += a ** (t - s) * (u[s] as number);
        return sum;
      });
      return outputDifference(exact(a, u), sums).relative;
    }),
  );
  return {
    claim: 'the float64 recurrence is the sum of a^(t-s) u[s] over s <= t, to 1e-12',
    passed: worst <= 1e-12,
    found: worst.toExponential(1),
  };
}

/** Why bfloat16 loses the decay: between 1 - 2^-8 and 1 it has no number. */
export function decayRoundsToOne(round: (value: number) => number = toBfloat16): Check {
  return {
    claim: 'the decay 0.999 is 1 in bf16, and 0.99 is not',
    passed: round(0.999) === 1 && round(0.99) < 1,
    found: `${round(0.999)} and ${round(0.99)}`,
  };
}

/** Relative error of rounding once: 8 and 11 significant bits. */
const unitRoundoff = { 'bf16, state f32': 2 ** -8, 'f16, state f32': 2 ** -11 } as const;

/** With state and log-decay in float32, what is left is that inputs and outputs are stored: a unit for each. */
export function remedyHolds(rows: readonly PrecisionRow[]): Check {
  const shares = rows.flatMap((row) => {
    const unit = (unitRoundoff as Partial<Record<PrecisionScheme, number>>)[row.scheme];
    return unit === undefined ? [] : [row.mean / unit];
  });
  const worst = Math.max(...shares);
  return {
    claim:
      'with state and log-decay in f32 the mean error is below two roundings of bf16 or f16, at every a and T',
    passed: shares.length > 0 && worst < 2,
    found: `at most ${worst.toFixed(2)} roundings`,
  };
}

/** Half of the remedy is none: a decay of 1, or a state that cannot move, each spoils the result alone. */
export function halfRemedyFails(rows: readonly PrecisionRow[]): Check[] {
  const halves = (['bf16, only decay f32', 'bf16, only state f32'] as const).map((scheme) =>
    find(rows, scheme, 0.999, 4096),
  );
  const [decay, state] = halves;
  if (decay === undefined || state === undefined) return [];
  return [
    {
      claim:
        'bf16 with only the decay, or only the state, in f32 is off by a fifth or more at a = 0.999, T = 4096',
      passed: decay.mean >= 0.2 && state.mean >= 0.2,
      found: `${decay.mean.toPrecision(2)} and ${state.mean.toPrecision(2)}`,
    },
  ];
}

/** The chunked scan keeps float32's digits whatever the chunk size. */
export function chunksAreAccurate(rows: readonly ChunkRow[]): Check {
  const worst = Math.max(...rows.map(({ error }) => error));
  return {
    // The tolerance of every float32 chunked scan of this project.
    claim: `ssdChunkScan in f32 is within 1.6e-5 of float64 for chunks of ${rows.map((row) => row.chunk_size).join(', ')}`,
    passed: worst <= 1.6e-5,
    found: worst.toExponential(1),
  };
}

/** Two digits, with an exponent where zeros would have to be counted. */
function short(error: number): string {
  return error < 0.001 ? error.toExponential(1) : String(Number(error.toPrecision(2)));
}

function find(
  rows: readonly PrecisionRow[],
  scheme: PrecisionScheme,
  a: number,
  T: number,
): PrecisionRow | undefined {
  return rows.find((row) => row.scheme === scheme && row.a === a && row.T === T);
}
