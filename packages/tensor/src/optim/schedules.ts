/** Learning-rate schedules: the factor on the base rate for the step about to be taken, counted from 0. */
import { ArgumentError } from '@statespace/ssd-core';

/** Factor on the base rate after `step` steps are done. */
export type Schedule = (step: number) => number;

export interface ConstantOptions {
  /** Steps over which the rate rises from 0. Default 0. */
  readonly warmupSteps?: number;
}

export interface WarmupOptions {
  /** Steps over which the rate rises from 0. Default 0. */
  readonly warmupSteps?: number;
  /** Step at which the rate has fallen to `floor`; it stays there. */
  readonly totalSteps: number;
  /** Default 0. */
  readonly floor?: number;
}

/** 1 after a linear warmup. */
export function constantSchedule({ warmupSteps = 0 }: ConstantOptions = {}): Schedule {
  checkSteps('constantSchedule', 'warmupSteps', warmupSteps);
  return (step) => (step < warmupSteps ? step / warmupSteps : 1);
}

/**
 * Linear warmup, then half a cosine from 1 to `floor` (Loshchilov & Hutter 2017, arXiv:1608.03983):
 * floor + (1 - floor) (1 + cos(pi p)) / 2, p the part of the steps after warmup that is done.
 */
export function warmupCosine(options: WarmupOptions): Schedule {
  return afterWarmup('warmupCosine', options, (progress) => 0.5 * (1 + Math.cos(Math.PI * progress)));
}

/** Linear warmup, then linear fall from 1 to `floor`. */
export function warmupLinear(options: WarmupOptions): Schedule {
  return afterWarmup('warmupLinear', options, (progress) => 1 - progress);
}

function afterWarmup(
  op: string,
  { warmupSteps = 0, totalSteps, floor = 0 }: WarmupOptions,
  fall: (progress: number) => number,
): Schedule {
  checkSteps(op, 'warmupSteps', warmupSteps);
  checkSteps(op, 'totalSteps', totalSteps);
  if (!(floor >= 0 && floor <= 1)) {
    throw new ArgumentError({ op, argument: 'floor', wanted: 'a number in [0, 1]', got: String(floor) });
  }
  const span = Math.max(1, totalSteps - warmupSteps);
  return (step) => {
    if (step < warmupSteps) return step / warmupSteps;
    return floor + (1 - floor) * Math.max(0, fall(Math.min(1, (step - warmupSteps) / span)));
  };
}

function checkSteps(op: string, argument: string, steps: number): void {
  if (Number.isSafeInteger(steps) && steps >= 0) return;
  throw new ArgumentError({ op, argument, wanted: 'a whole number >= 0', got: String(steps) });
}
