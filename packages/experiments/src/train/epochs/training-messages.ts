/** What the process that plans trainings and those that compute them say to each other. */
import type { StatespaceErrorCode } from '@statespace/ssd-core';
import type { TrainConfig } from '../../config/train-config.js';
import type { EpochResult, EpochTraining } from './train-epochs.js';

export interface TrainRequest {
  readonly config: TrainConfig;
  readonly device: string;
  readonly threads: number;
}

export type TrainAnswer =
  | { readonly type: 'epoch'; readonly result: EpochResult }
  | { readonly type: 'done'; readonly training: EpochTraining }
  | { readonly type: 'failed'; readonly message: string; readonly code?: StatespaceErrorCode };
