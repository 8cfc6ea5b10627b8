/** Parameters of the comparison, under the original's flags. */
import { ConfigError } from '@statespace/ssd-core';
import { z } from 'zod';
import { commonParams } from '../../config/common-params.js';
import { parseConfig } from '../../config/parse-config.js';
import { type TrainConfig, trainConfigSchema } from '../../config/train-config.js';
import { seedList } from '../../experiment/analysis.js';
import { comparisonModels, type ModelName, modelNames, paperModels } from './models.js';

const count = (value: number) => z.int().min(1).default(value);

export const comparisonParams = z.strictObject({
  ...commonParams,
  seeds: seedList([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).meta({
    description: 'Seeds of weights and data order, one training for each model',
    flag: '--seed',
  }),
  models: z
    .array(z.enum(modelNames))
    .min(1)
    .refine((names) => new Set(names).size === names.length, 'expected every model once')
    .default([...paperModels])
    .meta({ description: `Models to train: ${modelNames.join(', ')}` }),
  ablation: z
    .boolean()
    .default(false)
    .meta({ description: 'All four models: selective or not, N decays a channel or one' }),
  init: z
    .enum(['scaled', 'minimal'])
    .default('scaled')
    .meta({ description: 'Initial weights: as in mamba_ssm, or the layer defaults of mamba-minimal' }),
  seqLen: count(128).meta({
    description: 'Tokens of a window; the next one is predicted',
    flag: '--seq-len',
  }),
  maxVocab: z
    .int()
    .min(2)
    .default(20_000)
    .meta({ description: 'Words kept; the others are <unk>', flag: '--max-vocab' }),
  trainMaxSamples: count(5000).meta({ description: 'Training windows', flag: '--train-max-samples' }),
  valMaxSamples: count(1000).meta({ description: 'Held-out windows', flag: '--val-max-samples' }),
  dModel: count(64).meta({ description: 'Width of the residual stream', flag: '--d-model' }),
  nState: count(16).meta({ description: 'State size N of a channel', flag: '--n-state' }),
  nLayers: count(2).meta({ description: 'Number of blocks', flag: '--n-layers' }),
  epochs: count(10).meta({ description: 'Passes over the training windows' }),
  batchSize: count(64).meta({ description: 'Windows of a step', flag: '--batch-size' }),
  lr: z.number().positive().default(1e-3).meta({ description: 'Learning rate of AdamW' }),
  weightDecay: z
    .number()
    .min(0)
    .default(0.01)
    .meta({ description: 'Decoupled weight decay of AdamW', flag: '--weight-decay' }),
  dataDir: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'Folder of a local copy of WikiText-2', flag: '--data-dir' }),
  savePlots: z
    .boolean()
    .default(false)
    .meta({ description: 'Draw the loss curves of every training', flag: '--save-plots' }),
  plotDir: z.string().min(1).optional().meta({
    description: 'Folder of train_runs.jsonl and the curves (default: wikitext2_comparison beside the runs)',
    flag: '--plot-dir',
  }),
});

export type ComparisonParams = z.output<typeof comparisonParams>;

/** Rules between parameters. @throws {ConfigError} */
export function checkComparison({ seed, ablation, models }: ComparisonParams): void {
  if (seed !== 0) {
    throw new ConfigError({
      op: 'config',
      argument: 'seed',
      wanted: 'seeds: [...], a list',
      got: String(seed),
    });
  }
  const differs = models.length !== paperModels.length || models.some((name, i) => name !== paperModels[i]);
  if (ablation && differs) {
    throw new ConfigError({
      op: 'config',
      argument: 'models',
      wanted: 'no list of models with --ablation, which has all four',
      got: models.join(', '),
    });
  }
}

/** The models that are trained. */
export function chosenModels({ models, ablation }: ComparisonParams): readonly ModelName[] {
  return ablation ? modelNames : models;
}

/** Every parameter that changes the numbers of a training, under the flag that sets it. */
export function trainingFlags(params: ComparisonParams) {
  return {
    seq_len: params.seqLen,
    max_vocab: params.maxVocab,
    train_max_samples: params.trainMaxSamples,
    val_max_samples: params.valMaxSamples,
    d_model: params.dModel,
    n_state: params.nState,
    n_layers: params.nLayers,
    epochs: params.epochs,
    batch_size: params.batchSize,
    lr: params.lr,
    weight_decay: params.weightDecay,
    init: params.init,
  };
}

/** The configuration of one training. */
export function trainingConfig(params: ComparisonParams, model: ModelName, seed: number): TrainConfig {
  const { dModel, nState: dState, nLayers: numLayers, init, seqLen, maxVocab } = params;
  const { trainMaxSamples, valMaxSamples, dataDir, lr, weightDecay, epochs, batchSize } = params;
  const input = {
    seed,
    model: { ...comparisonModels[model].options, dModel, dState, numLayers, init },
    data: {
      ...{ name: 'wikitext2', seqLen, maxVocab, trainMaxSamples, valMaxSamples },
      ...(dataDir === undefined ? {} : { dataDir }),
    },
    loss: 'last',
    optimizer: { lr, weightDecay },
    trainer: { epochs, batchSize },
  };
  return parseConfig(trainConfigSchema, input, 'wikitext2-comparison');
}
