/** Puts a session back to where its latest checkpoint stood. */
import { CheckpointError } from '@statespace/ssd-core';
import type { TrainConfig } from '../config/train-config.js';
import { type BackendIdentity, backendIdentity } from '../runs/environment.js';
import type { Run } from '../runs/run.js';
import { type Checkpoint, disposeCheckpoint, readLatestCheckpoint } from './checkpoint.js';
import type { CheckpointState } from './checkpoint-state.js';
import { expectSameTraining } from './fingerprint.js';
import { PendingLosses } from './pending-losses.js';
import type { TrainingSession } from './training-session.js';

export interface Restored {
  readonly path: string;
  readonly state: CheckpointState;
  /** Checkpoints passed over, and what differs from the machine that saved this one. */
  readonly warnings: readonly string[];
}

/**
 * Loads the latest whole checkpoint of `run` into `session`.
 * @returns undefined when the run has none yet
 * @throws {CheckpointError} when none is whole, or it belongs to another training or model.
 */
export async function restoreLatest(
  session: TrainingSession,
  config: TrainConfig,
  device: string,
  run: Run,
): Promise<Restored | undefined> {
  const { checkpoint, damaged } = await readLatestCheckpoint(run.checkpointDirectory);
  if (checkpoint === undefined) return undefined;
  try {
    const state = restore(session, config, checkpoint);
    const changes = differences(checkpoint.header.identity, backendIdentity(device));
    return { path: checkpoint.path, state, warnings: [...damaged, ...changes] };
  } finally {
    disposeCheckpoint(checkpoint);
  }
}

function restore(session: TrainingSession, config: TrainConfig, checkpoint: Checkpoint): CheckpointState {
  const { path, header, parameters, optimizer } = checkpoint;
  if (optimizer === undefined) {
    throw new CheckpointError({
      op: 'resume',
      argument: path,
      wanted: 'a checkpoint of training',
      got: 'one of weights alone',
    });
  }
  expectSameTraining(header.config, config, path);
  const { state } = header;
  session.model.loadState(parameters);
  session.optimizer.loadStateDict(optimizer);
  session.sampler.restore(state.sampler);
  session.step = state.step;
  session.tokens = state.tokens;
  session.losses = new PendingLosses(state.losses);
  return state;
}

function differences(then: BackendIdentity, now: BackendIdentity): string[] {
  return (['backend', 'isa', 'build'] as const)
    .filter((key) => then[key] !== now[key])
    .map(
      (key) =>
        `${key} is ${now[key]}, was ${then[key]}: the run goes on, but rounds differently from an unbroken one`,
    );
}
