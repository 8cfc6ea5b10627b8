/** What a training run leaves on disk: metric rows, checkpoints, the figure. */
import { join, relative } from 'node:path';
import { makeFolder } from '@statespace/tensor';
import type { TrainConfig } from '../config/train-config.js';
import { lossFigure } from '../figures/loss-figure.js';
import { type FigureFiles, writeFigure } from '../figures/render-figure.js';
import { readMetrics } from '../metrics/metric-log.js';
import { metricsFile, type RunMetrics } from '../metrics/run-metrics.js';
import { type BackendIdentity, backendIdentity } from '../runs/environment.js';
import { writeJsonFile } from '../runs/json-file.js';
import type { Run } from '../runs/run.js';
import { bestCheckpointFile, pruneCheckpoints, stepCheckpointFile, writeCheckpoint } from './checkpoint.js';
import type { CheckpointState } from './checkpoint-state.js';
import type { Evaluation } from './evaluate.js';
import type { LogEvent } from './events.js';
import { trainingFingerprint } from './fingerprint.js';
import type { TrainData } from './train-data.js';
import type { TrainingSession } from './training-session.js';

const architectureNames = { mamba: 'Mamba', 'mamba-diag': 'Mamba without selection', mamba2: 'Mamba-2' };

export const vocabularyFile = 'vocabulary.json';

export class RunJournal {
  readonly #run: Run;
  readonly #config: TrainConfig;
  readonly #metrics: RunMetrics;
  readonly #identity: BackendIdentity;

  private constructor(run: Run, config: TrainConfig, device: string, metrics: RunMetrics) {
    this.#run = run;
    this.#config = config;
    this.#identity = backendIdentity(device);
    this.#metrics = metrics;
  }

  /** @param resumedStep rows of later steps are dropped; -1 drops all */
  static async open(run: Run, config: TrainConfig, device: string, resumedStep: number): Promise<RunJournal> {
    makeFolder(run.checkpointDirectory);
    return new RunJournal(run, config, device, await run.openMetrics(resumedStep));
  }

  /** Keeps what `generate` needs to read and write text. */
  async writeVocabulary({ vocabulary }: TrainData): Promise<void> {
    if (vocabulary !== undefined) await writeJsonFile(join(this.#run.directory, vocabularyFile), vocabulary);
  }

  logTraining({ step, epoch, loss, gradNorm, lr, tokensPerSecond, rssBytes }: LogEvent): void {
    this.#metrics.append('train', step, { epoch, loss, gradNorm, lr, tokensPerSecond, rssBytes });
  }

  logEvaluation(step: number, { loss, perplexity, accuracy, lastLoss, lastAccuracy }: Evaluation): void {
    this.#metrics.append('eval', step, { loss, perplexity, accuracy, lastLoss, lastAccuracy });
  }

  /** Saves all that resuming needs, then lets old checkpoints go. */
  async saveTraining(session: TrainingSession, state: CheckpointState): Promise<string> {
    const path = join(this.#run.checkpointDirectory, stepCheckpointFile(state.step));
    // The rows must not be younger than the checkpoint that claims them.
    this.#metrics.flush();
    const parameters = new Map(session.parameters);
    const optimizer = session.optimizer.stateDict();
    try {
      await writeCheckpoint(path, this.#header(session, state, 'training'), { parameters, optimizer });
    } finally {
      for (const value of Object.values(optimizer)) value.dispose();
    }
    pruneCheckpoints(this.#run.checkpointDirectory, this.#config.trainer.keepCheckpoints);
    return path;
  }

  /** Saves the weights of the best evaluation so far. */
  async saveBest(session: TrainingSession, state: CheckpointState): Promise<string> {
    const path = join(this.#run.checkpointDirectory, bestCheckpointFile);
    const parameters = new Map(session.parameters);
    await writeCheckpoint(path, this.#header(session, state, 'weights'), { parameters });
    return path;
  }

  #header(session: TrainingSession, state: CheckpointState, content: 'training' | 'weights') {
    return {
      content,
      state,
      config: trainingFingerprint(this.#config),
      vocabSize: session.model.config.vocabSize,
      identity: this.#identity,
    };
  }

  /** Draws the loss figure from the metric log. */
  async drawLoss(session: TrainingSession, data: TrainData): Promise<FigureFiles> {
    const rows = readMetrics(join(this.#run.directory, metricsFile));
    const points = (kind: string) =>
      rows.filter((row) => row.kind === kind).map(({ step, loss }) => ({ step, loss: Number(loss) }));
    const { model, seed } = this.#config;
    const architecture = architectureNames[model.architecture];
    const spec = lossFigure({
      title: `${data.name}: ${model.numLayers}-layer ${architecture}, width ${model.dModel}`,
      subtitle: `${session.parameterCount.toLocaleString('en-US')} parameters, seed ${seed}, run ${this.#run.id}`,
      train: points('train'),
      heldOut: points('eval'),
      references: Object.entries(data.references).map(([name, value]) => ({
        label: `${name} ${value.toFixed(2)}`,
        value,
      })),
    });
    return writeFigure(spec, this.#run.figureDirectory(), 'loss');
  }

  /** Weights of the best evaluation, from the run folder. */
  get bestPath(): string {
    return this.relative(join(this.#run.checkpointDirectory, bestCheckpointFile));
  }

  /** A path as the run's own files name it. */
  relative(path: string): string {
    return relative(this.#run.directory, path).replaceAll('\\', '/');
  }

  close(): void {
    this.#metrics.close();
  }
}
