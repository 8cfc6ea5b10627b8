/** A model small enough for the pure-TypeScript reference. */
import type { TrainConfigInput } from '../config/train-config.js';

/** `configs/tiny.yaml` says the same. */
export const tinyPreset = {
  name: 'tiny',
  model: { architecture: 'mamba', dModel: 16, dState: 4, numLayers: 1 },
  data: { name: 'moby-dick', level: 'char', seqLen: 32, trainMaxSamples: 256, valMaxSamples: 16 },
  optimizer: { lr: 0.01, weightDecay: 0.01, clipNorm: 1 },
  trainer: { steps: 40, batchSize: 4, logEvery: 5, evalEvery: 20, checkpointEvery: 10 },
} satisfies TrainConfigInput;
