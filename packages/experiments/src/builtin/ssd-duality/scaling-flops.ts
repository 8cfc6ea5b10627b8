/** Operations of the timed forms, counted exactly: how the times should grow. */
import type { Check } from '../../experiment/result.js';
import { powerLawExponent } from '../../experiment/statistics.js';
import { scalingDecays, scalingWidth } from './time-scaling.js';

export interface FlopRow {
  readonly T: number;
  /** 4 N T P: one unit for each entry of each of the four stages of Algorithm 1. */
  readonly stage_units: number;
  /** Multiplications and additions of the recurrence: a h, b u, their sum, c h, and its sum into y. */
  readonly recurrence_flops: number;
  /** Multiplications and additions of the product with the kernel, the zeros above its diagonal included. */
  readonly kernel_product_flops: number;
}

/** Counts at one length for N states and inputs of width P. */
export function scalingFlops(seqLen: number, dState = scalingDecays.length, width = scalingWidth): FlopRow {
  return {
    T: seqLen,
    stage_units: 4 * dState * seqLen * width,
    recurrence_flops: 5 * dState * seqLen * width,
    kernel_product_flops: 2 * seqLen * seqLen * width,
  };
}

/** The counts grow as T and as T^2, exactly where the times do so roughly; nothing for a single length. */
export function flopsScale(rows: readonly FlopRow[]): Check[] {
  if (rows.length < 2) return [];
  const lengths = rows.map(({ T }) => T);
  const exponentOf = (field: 'stage_units' | 'recurrence_flops' | 'kernel_product_flops'): number =>
    powerLawExponent(
      lengths,
      rows.map((row) => row[field]),
    );
  const linear = [exponentOf('stage_units'), exponentOf('recurrence_flops')];
  const quadratic = exponentOf('kernel_product_flops');
  const off = Math.max(...linear.map((slope) => Math.abs(slope - 1)), Math.abs(quadratic - 2));
  return [
    {
      claim: 'the operations of the recurrence grow as T, those of the kernel product as T²',
      // Logarithms of whole numbers, rounded in float64.
      passed: off <= 1e-12,
      found: `T^${linear[1]?.toFixed(3)} and T^${quadratic.toFixed(3)}`,
    },
  ];
}
