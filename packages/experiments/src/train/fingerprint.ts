/** The part of a configuration that decides the bits of a checkpoint. */
import { CheckpointError } from '@statespace/ssd-core';
import type { TrainConfig } from '../config/train-config.js';

/**
 * `config` without what may differ between equal runs: the name, the device, the threads, where the data lie and
 * how often something is logged or saved.
 */
export function trainingFingerprint(config: TrainConfig): Record<string, unknown> {
  const { name: _name, device: _device, threads: _threads, data, trainer, ...rest } = config;
  const { dataDir: _dataDir, ...dataRest } = data;
  const { checkpointEvery: _every, keepCheckpoints: _keep, evalBatchSize: _batch, ...trainerRest } = trainer;
  return { ...rest, data: dataRest, trainer: trainerRest };
}

/** @throws {CheckpointError} naming the first key in which a checkpoint's training differs from the configuration. */
export function expectSameTraining(stored: unknown, config: TrainConfig, where: string): void {
  const difference = firstDifference(stored, trainingFingerprint(config), '');
  if (difference === undefined) return;
  throw new CheckpointError({
    op: 'resume',
    argument: `${where}: ${difference.path}`,
    wanted: `${JSON.stringify(difference.right)} as in the configuration`,
    got: JSON.stringify(difference.left),
  });
}

interface Difference {
  readonly path: string;
  readonly left: unknown;
  readonly right: unknown;
}

function firstDifference(left: unknown, right: unknown, path: string): Difference | undefined {
  if (!isObject(left) || !isObject(right)) {
    return JSON.stringify(left) === JSON.stringify(right) ? undefined : { path, left, right };
  }
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const below = firstDifference(left[key], right[key], path === '' ? key : `${path}.${key}`);
    if (below !== undefined) return below;
  }
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
