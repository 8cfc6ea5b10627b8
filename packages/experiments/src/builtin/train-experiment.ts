/** Training without claims: what `statespace train` runs. */

import { checkTrainConfig } from '../config/check-train-config.js';
import { type TrainConfig, trainConfigSchema } from '../config/train-config.js';
import { defineExperiment, type ExperimentContext } from '../experiment/define.js';
import type { TrainResult } from '../train/events.js';
import { train } from '../train/train.js';

/** Trains and reports every event; the result once it has ended. */
export async function runTraining(config: TrainConfig, context: ExperimentContext): Promise<TrainResult> {
  const events = train(config, context);
  for (;;) {
    const next = await events.next();
    if (next.done === true) return next.value;
    context.report(next.value);
  }
}

/** Measured numbers of a training, for a result's metadata. */
export function trainingMetadata(result: TrainResult): Record<string, unknown> {
  const { status: _status, checkpoint: _path, bestCheckpoint: _best, figure: _figure, ...training } = result;
  return { training };
}

/** Files of a training, from the run folder. */
export function trainingArtifacts({ checkpoint, bestCheckpoint, figure }: TrainResult): string[] {
  return [checkpoint, bestCheckpoint, figure].filter((path) => path !== undefined);
}

export const trainExperiment = defineExperiment({
  name: 'train',
  summary: 'Train a language model as a configuration says; nothing is claimed',
  paper: 'none',
  params: trainConfigSchema,
  check: checkTrainConfig,
  folder: (config) => config.name ?? config.data.name,
  run: async (config, context) => {
    const result = await runTraining(config, context);
    if (result.status === 'interrupted') return { ...result, status: result.status };
    return {
      status: 'completed',
      details: [],
      metadata: trainingMetadata(result),
      artifacts: trainingArtifacts(result),
    };
  },
});
