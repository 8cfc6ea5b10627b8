/**
 * Parity of bit strings: the smallest task that needs a state that turns back. Mamba's state decays by factors in
 * (0, 1), so it can count towards a length it was trained on, but does not keep the parity beyond it.
 */
import { checkTrainConfig } from '../config/check-train-config.js';
import { type TrainConfig, type TrainConfigInput, trainConfigSchema } from '../config/train-config.js';
import { defineExperiment, type ExperimentContext, type ExperimentOutcome } from '../experiment/define.js';
import type { Check } from '../experiment/result.js';
import { evaluate } from '../train/evaluate.js';
import { openTrainedModel } from '../train/open-trained-model.js';
import { loadTrainData } from '../train/train-data.js';
import { runTraining, trainingArtifacts, trainingMetadata } from './train-experiment.js';

export const parityPreset = {
  name: 'parity',
  model: { architecture: 'mamba', dModel: 32, dState: 16, numLayers: 1 },
  data: { name: 'parity', seqLen: 16 },
  optimizer: { lr: 5e-3, weightDecay: 0.01, clipNorm: 1, schedule: 'warmup-cosine', warmupSteps: 20 },
  trainer: { steps: 1000, batchSize: 64, logEvery: 20, evalEvery: 200 },
} satisfies TrainConfigInput;

/** Lengths, as multiples of the trained one, at which the trained model is judged too. */
const longer = [2, 4, 16] as const;

export const parity = defineExperiment({
  name: 'parity',
  summary: 'Mamba learns the parity of short bit strings and loses it on longer ones',
  paper:
    'Grazzi et al. 2024, Unlocking State-Tracking in Linear RNNs Through Negative Eigenvalues, arXiv:2411.12537',
  params: trainConfigSchema,
  preset: parityPreset,
  check: checkTrainConfig,
  folder: (config) => config.name ?? 'parity',
  run: runParity,
});

async function runParity(config: TrainConfig, context: ExperimentContext): Promise<ExperimentOutcome> {
  const result = await runTraining(config, context);
  if (result.status === 'interrupted') return { ...result, status: result.status };
  const { model } = await openTrainedModel(context.run, { checkpoint: 'latest', device: context.device });
  const accuracies: Record<string, number> = {};
  for (const factor of [1, ...longer]) {
    const seqLen = factor * config.data.seqLen;
    const { heldOut } = await loadTrainData({ ...config, data: { ...config.data, seqLen } });
    const { lastAccuracy } = await evaluate(model, heldOut, { batchSize: config.trainer.batchSize });
    accuracies[`bits${seqLen}`] = lastAccuracy;
  }
  model.dispose();
  const shortest = accuracies[`bits${config.data.seqLen}`] as number;
  const longest = accuracies[`bits${(longer[longer.length - 1] as number) * config.data.seqLen}`] as number;
  return {
    status: 'completed',
    details: [learns(shortest, config.data.seqLen), forgets(longest)],
    metadata: { ...trainingMetadata(result), parityAccuracy: accuracies },
    artifacts: trainingArtifacts(result),
  };
}

function learns(accuracy: number, bits: number): Check {
  return {
    claim: `the parity of ${bits} unseen bits, the trained length, is right in 95% of cases or more`,
    passed: accuracy >= 0.95,
    found: `${(100 * accuracy).toFixed(1)}%`,
  };
}

function forgets(accuracy: number): Check {
  return {
    claim: 'at sixteen times that length it is near chance, below 65%',
    passed: accuracy < 0.65,
    found: `${(100 * accuracy).toFixed(1)}%`,
  };
}
