/** What a checkpoint holds beside tensors, and in which format. */
import type { EpochSamplerState } from '@statespace/datasets';
import type { BackendIdentity } from '../runs/environment.js';
import type { FileFormat } from '../runs/format-version.js';
import type { Evaluation } from './evaluate.js';
import type { BestEvaluation } from './events.js';
import type { LossSum } from './pending-losses.js';

/** Everything that training goes on from, apart from parameters and optimiser moments. Never a clock's reading. */
export interface CheckpointState {
  /** Optimiser steps done. */
  readonly step: number;
  readonly sampler: EpochSamplerState;
  /** Losses since the last log. */
  readonly losses: LossSum;
  readonly tokens: number;
  readonly trainLoss?: number;
  readonly heldOut?: Evaluation;
  readonly best?: BestEvaluation;
}

/** The JSON part of a checkpoint. */
export interface CheckpointHeader {
  /** `training` resumes; `weights` is for use alone. */
  readonly content: 'training' | 'weights';
  readonly state: CheckpointState;
  /** The configuration that decides the bits. */
  readonly config: Record<string, unknown>;
  readonly vocabSize: number;
  /** What computed it: other backends, instruction sets and builds round differently. */
  readonly identity: BackendIdentity;
}

export const checkpointFormat: FileFormat = { name: 'statespace-checkpoint', version: 1, migrations: {} };
