/** A small Mamba learns to write Moby Dick, character by character: the demonstration that all parts work. */
import { checkTrainConfig } from '../config/check-train-config.js';
import { type TrainConfig, type TrainConfigInput, trainConfigSchema } from '../config/train-config.js';
import { defineExperiment, type ExperimentContext, type ExperimentOutcome } from '../experiment/define.js';
import type { Check } from '../experiment/result.js';
import type { TrainResult } from '../train/events.js';
import { runTraining, trainingArtifacts, trainingMetadata } from './train-experiment.js';

/** About a minute on two cores; `configs/moby-dick.yaml` says the same. */
export const mobyDickPreset = {
  name: 'moby-dick',
  model: { architecture: 'mamba', dModel: 128, dState: 16, numLayers: 2 },
  data: { name: 'moby-dick', level: 'char', seqLen: 128 },
  optimizer: { lr: 4e-3, weightDecay: 0.1, clipNorm: 1, schedule: 'warmup-cosine', warmupSteps: 50 },
  trainer: { steps: 500, batchSize: 32, logEvery: 10, evalEvery: 100, checkpointEvery: 200 },
} satisfies TrainConfigInput;

export const mobyDick = defineExperiment({
  name: 'moby-dick',
  summary: 'A 2-layer Mamba learns Moby Dick by characters and beats the bigram statistics of the text',
  paper: 'Gu & Dao 2023, Mamba, arXiv:2312.00752 (the model; the task is ours)',
  params: trainConfigSchema,
  preset: mobyDickPreset,
  check: checkTrainConfig,
  folder: (config) => config.name ?? 'moby-dick',
  run: runMobyDick,
});

async function runMobyDick(config: TrainConfig, context: ExperimentContext): Promise<ExperimentOutcome> {
  const result = await runTraining(config, context);
  if (result.status === 'interrupted') return { ...result, status: result.status };
  return {
    status: 'completed',
    details: [beatsBigram(result)],
    metadata: trainingMetadata(result),
    artifacts: trainingArtifacts(result),
  };
}

function beatsBigram({ best, references }: TrainResult): Check {
  const loss = best?.loss ?? Number.NaN;
  const bigram = references.bigram ?? Number.NaN;
  return {
    claim: 'held-out loss is below the bigram entropy of the same text',
    passed: loss < bigram,
    found: `${loss.toFixed(4)} against ${bigram.toFixed(4)} nats per token`,
  };
}
