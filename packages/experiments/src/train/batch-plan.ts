/** How long a run is and what is due at which step, from the configuration and the number of windows. */
import type { TrainConfig } from '../config/train-config.js';

export interface StepPlan {
  readonly totalSteps: number;
  readonly stepsPerEpoch: number;
  readonly logEvery: number;
  readonly evalEvery: number;
  readonly checkpointEvery: number;
}

/** The plan of a checked configuration, for so many training windows. */
export function planSteps({ trainer }: TrainConfig, windows: number): StepPlan {
  const stepsPerEpoch = Math.ceil(windows / trainer.batchSize);
  const totalSteps = trainer.steps ?? (trainer.epochs ?? 1) * stepsPerEpoch;
  const evalEvery = Math.min(trainer.evalEvery ?? stepsPerEpoch, totalSteps);
  const checkpointEvery = Math.min(trainer.checkpointEvery ?? evalEvery, totalSteps);
  return { totalSteps, stepsPerEpoch, logEvery: trainer.logEvery, evalEvery, checkpointEvery };
}

/** Whether something that happens every `period` steps is due after `step` steps; the last step is always due. */
export function isDue(step: number, period: number, totalSteps: number): boolean {
  return step % period === 0 || step === totalSteps;
}

/** `count` samples cut into at most `parts` pieces whose sizes differ by at most one. */
export function splitEvenly(indices: Int32Array, parts: number): Int32Array[] {
  const pieces = Math.min(parts, indices.length);
  return Array.from({ length: pieces }, (_, part) =>
    indices.subarray(
      Math.floor((part * indices.length) / pieces),
      Math.floor(((part + 1) * indices.length) / pieces),
    ),
  );
}
