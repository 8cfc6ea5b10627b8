/** The configuration of a training run: one zod schema from which YAML checks, flags and JSON Schema follow. */
import { z } from 'zod';
import { commonParams } from './common-params.js';

const count = () => z.int().min(1);

const modelSchema = z.strictObject({
  architecture: z
    .enum(['mamba', 'mamba-diag', 'mamba2'])
    .default('mamba')
    .meta({ description: 'Kind of block' }),
  dModel: count().default(64).meta({ description: 'Width of the residual stream', flag: '--d-model' }),
  dState: count()
    .optional()
    .meta({ description: 'State size N (default 16; mamba2: 128)', flag: '--n-state' }),
  numLayers: count().default(2).meta({ description: 'Number of blocks', flag: '--n-layers' }),
  expand: count().default(2).meta({ description: 'Inner width over dModel' }),
  dConv: z.int().min(2).default(4).meta({ description: 'Width of the causal convolution' }),
  tieEmbeddings: z.boolean().default(true).meta({ description: 'Output head shares the embedding' }),
  embeddingStd: z.number().positive().optional().meta({ description: 'Initial embedding (default 0.02)' }),
  decay: z
    .enum(['diagonal', 'scalar'])
    .optional()
    .meta({ description: 'mamba and mamba-diag only: N decays a channel (default), or one' }),
  init: z
    .enum(['scaled', 'minimal'])
    .optional()
    .meta({ description: 'mamba and mamba-diag only: as mamba_ssm (default), or as mamba-minimal' }),
  dtRank: count().optional().meta({ description: 'mamba only: rank of the step size (default dModel / 16)' }),
  headDim: count().optional().meta({ description: 'mamba2 only: channels of a head' }),
  nGroups: count().optional().meta({ description: 'mamba2 only: groups that share B and C' }),
  chunkSize: count().optional().meta({ description: 'mamba2 only: tokens of a chunk' }),
});

const dataSchema = z.strictObject({
  name: z.enum(['moby-dick', 'wikitext2', 'parity']).default('moby-dick').meta({ description: 'Data set' }),
  level: z
    .enum(['char', 'word'])
    .optional()
    .meta({ description: 'moby-dick only: what a token is (default char)' }),
  dataDir: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'wikitext2 only: folder of a local copy', flag: '--data-dir' }),
  seqLen: count().default(128).meta({ description: 'Tokens of a training window', flag: '--seq-len' }),
  maxVocab: z
    .int()
    .min(2)
    .optional()
    .meta({ description: 'Words kept in the vocabulary; the others are <unk>', flag: '--max-vocab' }),
  trainMaxSamples: count()
    .optional()
    .meta({ description: 'Training windows (default: all; parity: 4096)', flag: '--train-max-samples' }),
  valMaxSamples: count()
    .optional()
    .meta({ description: 'Held-out windows (default: all; parity: 512)', flag: '--val-max-samples' }),
});

const optimizerSchema = z.strictObject({
  lr: z.number().positive().default(1e-3).meta({ description: 'Peak learning rate', flag: '--lr' }),
  weightDecay: z.number().min(0).default(0.01).meta({ description: 'Decoupled weight decay' }),
  betas: z
    .array(z.number().min(0).lt(1))
    .length(2)
    .default([0.9, 0.999])
    .meta({ description: 'Decay rates of the two moments' }),
  eps: z.number().positive().default(1e-8).meta({ description: 'Added to the root of the second moment' }),
  clipNorm: z
    .number()
    .positive()
    .optional()
    .meta({ description: 'Largest gradient norm (default: no clipping)' }),
  schedule: z
    .enum(['constant', 'warmup-cosine', 'warmup-linear'])
    .default('constant')
    .meta({ description: 'Course of the learning rate' }),
  warmupSteps: z.int().min(0).default(0).meta({ description: 'Steps of linear warm-up' }),
});

const trainerSchema = z.strictObject({
  epochs: count().optional().meta({ description: 'Passes over the training windows', flag: '--epochs' }),
  steps: count().optional().meta({ description: 'Optimiser steps, instead of epochs', flag: '--steps' }),
  batchSize: count().default(64).meta({ description: 'Windows of a step', flag: '--batch-size' }),
  accumulate: count().default(1).meta({ description: 'Parts a batch is cut into; gradients add up' }),
  logEvery: count().default(10).meta({ description: 'Steps between metric rows' }),
  evalEvery: count()
    .optional()
    .meta({ description: 'Steps between held-out evaluations (default: each epoch)' }),
  evalBatchSize: count()
    .optional()
    .meta({ description: 'Windows of an evaluation batch (default batchSize)' }),
  checkpointEvery: count().optional().meta({ description: 'Steps between checkpoints (default evalEvery)' }),
  keepCheckpoints: count().default(2).meta({ description: 'Latest checkpoints kept' }),
});

/** What `statespace train --config` reads. Plain JSON types only; every object refuses unknown keys. */
export const trainConfigSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'expected letters, digits, dots, dashes and underscores')
    .optional()
    .meta({ description: 'Folder of the run under outputs/ (default: the data set)' }),
  ...commonParams,
  model: modelSchema.prefault({}),
  data: dataSchema.prefault({}),
  loss: z
    .enum(['full', 'last'])
    .default('full')
    .meta({ description: 'Train on every position, or on the last one of each window', flag: '--loss' }),
  optimizer: optimizerSchema.prefault({}),
  trainer: trainerSchema.prefault({}),
});

/** A checked configuration with its defaults filled in. */
export type TrainConfig = z.output<typeof trainConfigSchema>;

/** What may be written in a configuration file. */
export type TrainConfigInput = z.input<typeof trainConfigSchema>;
