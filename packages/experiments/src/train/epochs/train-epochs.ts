/** Trainings of a minute, on the last position, by epochs: no folder, no checkpoint, one curve in memory. */
import { setImmediate } from 'node:timers/promises';
import { AbortedError, ConfigError } from '@statespace/ssd-core';
import { checkTrainConfig } from '../../config/check-train-config.js';
import type { TrainConfig } from '../../config/train-config.js';
import { planSteps } from '../batch-plan.js';
import type { LazyLoss } from '../pending-losses.js';
import type { TrainData } from '../train-data.js';
import { TrainingSession } from '../training-session.js';
import { evaluateLastPosition, type LastPositionEvaluation } from './last-position.js';

/** One pass over the training windows and what it came to. */
export interface EpochResult {
  /** From 1. */
  readonly epoch: number;
  /** Mean over the windows as they were trained on, nats. */
  readonly trainLoss: number;
  /** After the epoch, nats. */
  readonly heldOutLoss: number;
  /** After the epoch, a share of one. */
  readonly heldOutAccuracy: number;
}

export interface EpochTraining {
  /** Numbers that the optimiser changed. */
  readonly parameters: number;
  /** Before the first step. */
  readonly untrained: LastPositionEvaluation;
  readonly epochs: readonly EpochResult[];
  /** Wall-clock time of training and evaluations. */
  readonly seconds: number;
}

export interface EpochTrainingOptions {
  readonly device: string;
  readonly signal?: AbortSignal;
  readonly onEpoch?: (result: EpochResult) => void;
}

/**
 * Trains as `config` says, which must have `loss: 'last'` and `trainer.epochs`. The same configuration gives the same
 * numbers for every number of threads and in whatever process.
 * @throws {ConfigError} @throws {NonFiniteError} @throws {AbortedError} when `signal` fires.
 */
export async function trainEpochs(
  config: TrainConfig,
  data: TrainData,
  { device, signal, onEpoch }: EpochTrainingOptions,
): Promise<EpochTraining> {
  checkTrainConfig(config);
  const epochs = countEpochs(config);
  const plan = planSteps(config, data.train.count);
  const evaluation = {
    batchSize: config.trainer.evalBatchSize ?? config.trainer.batchSize,
    ...(signal === undefined ? {} : { signal }),
  };
  const begin = performance.now();
  const session = new TrainingSession(config, data, plan, device);
  try {
    const judge = () => evaluateLastPosition(session.model, data.heldOut, evaluation);
    const untrained = await judge();
    const results: EpochResult[] = [];
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const trainLoss = await trainOneEpoch(session, plan.stepsPerEpoch, signal);
      const { loss, accuracy } = await judge();
      const result = { epoch, trainLoss, heldOutLoss: loss, heldOutAccuracy: accuracy };
      results.push(result);
      onEpoch?.(result);
    }
    const seconds = (performance.now() - begin) / 1000;
    return { parameters: session.parameterCount, untrained, epochs: results, seconds };
  } finally {
    session.dispose();
  }
}

/** Mean loss over the windows of the epoch: the last batch may hold fewer, and counts for as many. */
async function trainOneEpoch(
  session: TrainingSession,
  steps: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const batches: { readonly loss: LazyLoss; readonly tokens: number }[] = [];
  for (let step = 0; step < steps; step++) {
    if (signal?.aborted) throw new AbortedError({ op: 'train', cause: signal.reason });
    batches.push(session.trainStep());
    await setImmediate();
  }
  // Reads every loss, and refuses one that is no number.
  session.losses.takeMean();
  const tokens = batches.reduce((sum, batch) => sum + batch.tokens, 0);
  return batches.reduce((sum, { loss, tokens: own }) => sum + loss.read() * own, 0) / tokens;
}

function countEpochs({ loss, trainer }: TrainConfig): number {
  const refuse = (argument: string, wanted: string, got: string): never => {
    throw new ConfigError({ op: 'trainEpochs', argument, wanted, got });
  };
  if (loss !== 'last') refuse('loss', "'last'", `'${loss}'`);
  return trainer.epochs ?? refuse('trainer.epochs', 'a number of epochs', 'trainer.steps');
}
