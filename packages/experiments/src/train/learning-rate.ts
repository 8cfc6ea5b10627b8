/** The course of the learning rate, from the optimiser section of a configuration. */
import { constantSchedule, type Schedule, warmupCosine, warmupLinear } from '@statespace/tensor';
import type { TrainConfig } from '../config/train-config.js';

/** Factor on the peak learning rate by steps done. */
export function learningRateSchedule(
  { optimizer }: Pick<TrainConfig, 'optimizer'>,
  totalSteps: number,
): Schedule {
  const { schedule, warmupSteps } = optimizer;
  if (schedule === 'warmup-cosine') return warmupCosine({ warmupSteps, totalSteps });
  if (schedule === 'warmup-linear') return warmupLinear({ warmupSteps, totalSteps });
  return constantSchedule({ warmupSteps });
}
