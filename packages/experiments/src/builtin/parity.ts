/**
 * Parity of bit strings: the smallest task that needs a state that turns back at every 1. The factors of Mamba's state
 * are exp(delta A), in (0, 1): it learns the parity of a few bits by heart, and no length settles the question for it.
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

/** Short enough to be learned by heart, bits. */
const shortBits = 4;
/** The longest strings that are judged, as a multiple of the trained length. */
const longFactor = 4;

export const parity = defineExperiment({
  name: 'parity',
  summary: 'Mamba learns the parity of a few bits, and stays at chance on longer strings',
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
  const { seqLen } = config.data;
  const lengths = [...new Set([shortBits, Math.ceil(seqLen / 2), seqLen, longFactor * seqLen])];
  const accuracies = await judge(config, context, lengths);
  const short = accuracies.get(shortBits) as number;
  const long = accuracies.get(longFactor * seqLen) as number;
  const byBits = Object.fromEntries([...accuracies].map(([bits, accuracy]) => [`bits${bits}`, accuracy]));
  return {
    status: 'completed',
    details: [learns(short), staysAtChance(long, longFactor * seqLen)],
    metadata: { ...trainingMetadata(result), parityAccuracy: byBits },
    artifacts: trainingArtifacts(result),
  };
}

/** Share of strings of each length whose parity the trained model gets right. */
async function judge(
  config: TrainConfig,
  context: ExperimentContext,
  lengths: readonly number[],
): Promise<Map<number, number>> {
  const { model } = await openTrainedModel(context.run, { checkpoint: 'latest', device: context.device });
  const accuracies = new Map<number, number>();
  for (const seqLen of lengths) {
    const { heldOut } = await loadTrainData({ ...config, data: { ...config.data, seqLen } });
    const { lastAccuracy } = await evaluate(model, heldOut, { batchSize: config.trainer.batchSize });
    accuracies.set(seqLen, lastAccuracy);
  }
  model.dispose();
  return accuracies;
}

function learns(accuracy: number): Check {
  return {
    claim: `the parity of ${shortBits} bits is right in 99% of cases or more`,
    passed: accuracy >= 0.99,
    found: percent(accuracy),
  };
}

function staysAtChance(accuracy: number, bits: number): Check {
  return {
    claim: `the parity of ${bits} bits is right in less than 60% of cases`,
    passed: accuracy < 0.6,
    found: percent(accuracy),
  };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
