/** WikiText-2 at word level with a minimal Mamba, trained as in the study of 1-SS attention and SSD. */
import { checkTrainConfig } from '../config/check-train-config.js';
import { type TrainConfig, type TrainConfigInput, trainConfigSchema } from '../config/train-config.js';
import { defineExperiment, type ExperimentContext, type ExperimentOutcome } from '../experiment/define.js';
import type { Check } from '../experiment/result.js';
import type { TrainEvent, TrainResult } from '../train/events.js';
import { runTraining, trainingArtifacts, trainingMetadata } from './train-experiment.js';

/** The study's sizes; `configs/wikitext2-mamba.yaml` says the same. */
export const wikitext2Preset = {
  name: 'wikitext2',
  model: { architecture: 'mamba', dModel: 64, dState: 16, numLayers: 2 },
  data: { name: 'wikitext2', seqLen: 128, maxVocab: 20_000, trainMaxSamples: 5000, valMaxSamples: 1000 },
  loss: 'full',
  optimizer: { lr: 1e-3, weightDecay: 0.01 },
  trainer: { epochs: 10, batchSize: 64, logEvery: 10 },
} satisfies TrainConfigInput;

export const wikitext2 = defineExperiment({
  name: 'wikitext2',
  summary: 'Mamba on WikiText-2 with a 20,000-word vocabulary; --loss last trains on the last position alone',
  paper: 'Hu et al. 2025, On Structured State-Space Duality, arXiv:2510.04944, Table 1',
  params: trainConfigSchema,
  preset: wikitext2Preset,
  check: checkTrainConfig,
  folder: (config) => config.name ?? 'wikitext2',
  run: runWikitext2,
});

async function runWikitext2(config: TrainConfig, context: ExperimentContext): Promise<ExperimentOutcome> {
  const losses: number[] = [];
  const report = (event: TrainEvent): void => {
    if (event.type === 'eval') losses.push(config.loss === 'full' ? event.loss : event.lastLoss);
    context.report(event);
  };
  const result = await runTraining(config, { ...context, report });
  if (result.status === 'interrupted') return { ...result, status: result.status };
  return {
    status: 'completed',
    details: [fell(result), finite(losses)],
    metadata: trainingMetadata(result),
    artifacts: trainingArtifacts(result),
  };
}

function fell({ best, totalSteps }: TrainResult): Check {
  return {
    claim: 'the best held-out loss comes after training has begun',
    passed: best !== undefined && best.step > 0,
    found:
      best === undefined
        ? 'no evaluation'
        : `${best.loss.toFixed(4)} nats after step ${best.step} of ${totalSteps}`,
  };
}

function finite(losses: readonly number[]): Check {
  return {
    claim: 'every held-out loss is finite',
    passed: losses.every(Number.isFinite),
    found: `${losses.length} evaluations`,
  };
}
