/** A trained model from its run folder, ready to evaluate or to write text. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Vocabulary } from '@statespace/datasets';
import { createModel } from '@statespace/models';
import { CheckpointError } from '@statespace/ssd-core';
import { parseConfig } from '../config/parse-config.js';
import { type TrainConfig, trainConfigSchema } from '../config/train-config.js';
import { chooseDevice } from '../runs/choose-device.js';
import { readJsonFile } from '../runs/json-file.js';
import type { Run } from '../runs/run.js';
import {
  bestCheckpointFile,
  type Checkpoint,
  disposeCheckpoint,
  readCheckpoint,
  readLatestCheckpoint,
} from './checkpoint.js';
import { modelOptions } from './model-options.js';
import { vocabularyFile } from './run-journal.js';

export interface OpenModelOptions {
  /** `best` (default; the latest where there is no best), `latest`, or a file. */
  readonly checkpoint?: string;
  /** Default: the run's own. */
  readonly device?: string;
  readonly threads?: number;
}

export interface TrainedModel {
  readonly model: ReturnType<typeof createModel>;
  /** Absent for tasks that are no text. */
  readonly vocabulary?: Vocabulary;
  readonly config: TrainConfig;
  /** The file it came from. */
  readonly checkpoint: string;
  /** Steps it was trained. */
  readonly step: number;
}

/** Whether `run` has left weights. */
export function isTrained({ checkpointDirectory }: Run): boolean {
  return (
    existsSync(checkpointDirectory) &&
    readdirSync(checkpointDirectory).some((name) => name.endsWith('.safetensors'))
  );
}

/** Whether `run` has left weights of a model that reads and writes text. */
export function isTrainedOnText(run: Run): boolean {
  return isTrained(run) && existsSync(join(run.directory, vocabularyFile));
}

/** @throws {CheckpointError} when the run has no checkpoint, or a damaged one. @throws {ConfigError} */
export async function openTrainedModel(run: Run, options: OpenModelOptions = {}): Promise<TrainedModel> {
  const config = parseConfig(trainConfigSchema, run.readConfig(), run.directory);
  const { device = config.device, threads = config.threads } = options;
  const chosen = chooseDevice({ device, threads });
  const found = await findCheckpoint(run, options.checkpoint ?? 'best');
  const { path, header } = found;
  const model = createModel(modelOptions(config, header.vocabSize), { device: chosen });
  model.loadState(found.parameters);
  disposeCheckpoint(found);
  const vocabularyPath = join(run.directory, vocabularyFile);
  const vocabulary = existsSync(vocabularyPath)
    ? Vocabulary.fromJSON(readJsonFile(vocabularyPath))
    : undefined;
  return {
    model,
    config,
    checkpoint: path,
    step: header.state.step,
    ...(vocabulary === undefined ? {} : { vocabulary }),
  };
}

async function findCheckpoint(run: Run, which: string): Promise<Checkpoint> {
  const best = join(run.checkpointDirectory, bestCheckpointFile);
  if (which === 'best' && existsSync(best)) return readCheckpoint(best);
  if (which !== 'best' && which !== 'latest') {
    const inRun = join(run.checkpointDirectory, which);
    return readCheckpoint(existsSync(inRun) ? inRun : which);
  }
  const { checkpoint } = await readLatestCheckpoint(run.checkpointDirectory);
  if (checkpoint !== undefined) return checkpoint;
  throw new CheckpointError({
    op: 'openTrainedModel',
    argument: `run '${run.id}'`,
    wanted: 'a run with a checkpoint',
    got: 'none yet',
    hint: 'List the runs with: statespace runs',
  });
}
