/** Operations of the timed forms, counted exactly: how the times should grow. */
import { type StageFlops, stageFlops } from '@statespace/ssd-core/structure';
import type { Check } from '../../experiment/result.js';
import { powerLawExponent } from '../../experiment/statistics.js';
import { scalingDecays, scalingWidth } from './time-scaling.js';

export interface FlopRow {
  readonly T: number;
  /** 4 N T P: one unit for each entry of each of the four stages of Algorithm 1. */
  readonly stage_units: number;
  /** Multiplications and additions of the recurrence. */
  readonly recurrence_flops: number;
  /** Those of making the kernel. */
  readonly kernel_flops: number;
  /** Those of its product with the inputs, on and below the diagonal; the timed product meets the zeros above too. */
  readonly product_flops: number;
}

/** Counts at one length for the states and the width of the timed forms. */
export function scalingFlops(seqLen: number, count: typeof stageFlops = stageFlops): FlopRow {
  const { units, recurrence, kernel, product }: StageFlops = count({
    seqLen,
    dState: scalingDecays.length,
    width: scalingWidth,
  });
  return {
    T: seqLen,
    stage_units: units.total,
    recurrence_flops: recurrence.total,
    kernel_flops: kernel.total,
    product_flops: product.total,
  };
}

/** What the times do roughly the counts do exactly. */
export function flopsScale(rows: readonly FlopRow[]): Check[] {
  const unit = 4 * scalingDecays.length * scalingWidth;
  const share = (row: FlopRow): number => row.recurrence_flops / row.stage_units;
  return [
    {
      claim:
        'Algorithm 1 takes 4 N T P units; as multiplications and additions, from 1 to 1.25 times as many',
      passed: rows.every((row) => row.stage_units === unit * row.T && share(row) >= 1 && share(row) <= 1.25),
      found: `${rows.map((row) => row.stage_units).join(', ')}; ${share(rows.at(-1) as FlopRow).toFixed(3)} times`,
    },
    ...productGrows(rows),
  ];
}

/** Nothing for a single length, which has no slope. */
function productGrows(rows: readonly FlopRow[]): Check[] {
  if (rows.length < 2) return [];
  const slope = powerLawExponent(
    rows.map(({ T }) => T),
    rows.map((row) => row.product_flops),
  );
  return [
    {
      claim: 'the operations of the kernel product grow as T²',
      // Logarithms of whole numbers, rounded in float64.
      passed: Math.abs(slope - 2) <= 1e-12,
      found: `T^${slope.toFixed(3)}`,
    },
  ];
}
