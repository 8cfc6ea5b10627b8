/** Training as a stream of events: steps, logs, evaluations, checkpoints, the figure, the result. */
import { setImmediate } from 'node:timers/promises';
import { NonFiniteError } from '@statespace/ssd-core';
import { checkTrainConfig } from '../config/check-train-config.js';
import type { TrainConfig } from '../config/train-config.js';
import type { Run } from '../runs/run.js';
import { isDue, planSteps, type StepPlan } from './batch-plan.js';
import type { CheckpointState } from './checkpoint-state.js';
import { type Evaluation, evaluate } from './evaluate.js';
import type {
  BestEvaluation,
  CheckpointEvent,
  EvalEvent,
  LogEvent,
  StartEvent,
  TrainEvent,
  TrainResult,
} from './events.js';
import { type Restored, restoreLatest } from './restore-session.js';
import { RunJournal } from './run-journal.js';
import { Stopwatch } from './stopwatch.js';
import { loadTrainData, type TrainData } from './train-data.js';
import { TrainingSession } from './training-session.js';

export interface TrainContext {
  /** Locked for this process. */
  readonly run: Run;
  readonly device: string;
  /** Go on from the latest checkpoint of the run; from the start when there is none yet. */
  readonly resume?: boolean;
  /** Fires: the run saves a checkpoint after the present step and ends as `interrupted`. */
  readonly signal?: AbortSignal;
  /** Instead of what the configuration names. */
  readonly data?: TrainData;
}

/**
 * Trains as `config` says, in the folder of `context.run`. The same configuration gives the same checkpoint bytes on
 * the same backend, instruction set and build, for every number of threads, broken off and resumed or not.
 * @throws {NonFiniteError} when a loss or gradient is NaN or infinite; nothing of that step is written.
 * @throws {ConfigError} @throws {DataError} @throws {CheckpointError} @throws {IoError}
 */
export async function* train(
  config: TrainConfig,
  context: TrainContext,
): AsyncGenerator<TrainEvent, TrainResult> {
  checkTrainConfig(config);
  const data = context.data ?? (await loadTrainData(config, signalOf(context)));
  const plan = planSteps(config, data.train.count);
  const training = await Training.open(config, context, data, plan);
  try {
    return yield* training.run();
  } finally {
    training.close();
  }
}

function signalOf({ signal }: TrainContext): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

class Training {
  readonly #config: TrainConfig;
  readonly #data: TrainData;
  readonly #plan: StepPlan;
  readonly #session: TrainingSession;
  readonly #journal: RunJournal;
  readonly #signal: AbortSignal | undefined;
  readonly #watch: Stopwatch;
  readonly #warnings: readonly string[];
  #trainLoss: number | undefined;
  #heldOut: Evaluation | undefined;
  #best: BestEvaluation | undefined;
  #checkpoint = '';
  #savedStep = -1;
  #peakRssBytes = 0;

  private constructor(
    config: TrainConfig,
    data: TrainData,
    plan: StepPlan,
    session: TrainingSession,
    journal: RunJournal,
    restored: Restored | undefined,
    signal: AbortSignal | undefined,
  ) {
    this.#config = config;
    this.#data = data;
    this.#plan = plan;
    this.#session = session;
    this.#journal = journal;
    this.#signal = signal;
    this.#watch = new Stopwatch(session.step, session.tokens);
    this.#warnings = restored?.warnings ?? [];
    this.#trainLoss = restored?.state.trainLoss;
    this.#heldOut = restored?.state.heldOut;
    this.#best = restored?.state.best;
    this.#checkpoint = restored?.path ?? '';
    this.#savedStep = restored?.state.step ?? -1;
  }

  static async open(
    config: TrainConfig,
    { run, device, resume, signal }: TrainContext,
    data: TrainData,
    plan: StepPlan,
  ): Promise<Training> {
    const session = new TrainingSession(config, data, plan, device);
    const restored = resume === true ? await restoreLatest(session, config, device, run) : undefined;
    const journal = await RunJournal.open(run, config, device, restored?.state.step ?? -1);
    return new Training(config, data, plan, session, journal, restored, signal);
  }

  async *run(): AsyncGenerator<TrainEvent, TrainResult> {
    const { totalSteps, logEvery, evalEvery, checkpointEvery } = this.#plan;
    await this.#journal.writeVocabulary(this.#data);
    yield this.#start();
    if (this.#heldOut === undefined) yield* this.#evaluate();
    while (this.#session.step < totalSteps && this.#signal?.aborted !== true) {
      const { loss, tokens } = this.#watch.time(() => this.#session.trainStep());
      const { step } = this.#session;
      yield { type: 'step', step, totalSteps, tokens, loss: () => loss.read() };
      if (isDue(step, logEvery, totalSteps)) yield this.#log();
      // What is due after a step is done before an interruption counts, or a resumed run would leave it out.
      if (isDue(step, evalEvery, totalSteps)) yield* this.#evaluate();
      if (step === totalSteps) yield await this.#save('final');
      else if (isDue(step, checkpointEvery, totalSteps)) yield await this.#save('periodic');
      await setImmediate();
    }
    const { step } = this.#session;
    const status = step === totalSteps ? 'completed' : 'interrupted';
    if (this.#savedStep !== step) yield await this.#save(status === 'completed' ? 'final' : 'interrupted');
    const files = await this.#journal.drawLoss(this.#session, this.#data);
    yield { type: 'figure', files };
    const result = this.#result(status, this.#journal.relative(files.png));
    yield { type: 'end', result };
    return result;
  }

  #start(): StartEvent {
    const { parameterCount, step } = this.#session;
    return {
      type: 'start',
      step,
      totalSteps: this.#plan.totalSteps,
      parameters: parameterCount,
      vocabSize: this.#data.vocabSize,
      trainWindows: this.#data.train.count,
      heldOutWindows: this.#data.heldOut.count,
      references: this.#data.references,
      warnings: this.#warnings,
    };
  }

  #log(): LogEvent {
    const { step, gradNorm, lr, tokens } = this.#session;
    const { totalSteps, stepsPerEpoch } = this.#plan;
    // Waiting for the device belongs to the time of the steps that it waits for.
    this.#trainLoss = this.#watch.time(() => this.#session.losses.takeMean());
    const rssBytes = process.memoryUsage.rss();
    this.#peakRssBytes = Math.max(this.#peakRssBytes, rssBytes);
    const event: LogEvent = {
      type: 'log',
      step,
      totalSteps,
      epoch: step / stepsPerEpoch,
      loss: this.#trainLoss,
      gradNorm,
      lr,
      tokensPerSecond: this.#watch.lap(tokens),
      secondsLeft: this.#watch.secondsLeft(step, totalSteps),
      rssBytes,
    };
    this.#journal.logTraining(event);
    return event;
  }

  async *#evaluate(): AsyncGenerator<EvalEvent | CheckpointEvent> {
    const { trainer, loss } = this.#config;
    const { step } = this.#session;
    const batchSize = trainer.evalBatchSize ?? trainer.batchSize;
    const evaluation = await evaluate(this.#session.model, this.#data.heldOut, { batchSize });
    const judged = loss === 'full' ? evaluation.loss : evaluation.lastLoss;
    if (!Number.isFinite(judged)) {
      throw new NonFiniteError({
        op: 'train',
        argument: `held-out loss after step ${step}`,
        wanted: 'a finite number',
        got: String(judged),
      });
    }
    const best = this.#best === undefined || judged < this.#best.loss;
    if (best) this.#best = { step, loss: judged };
    this.#heldOut = evaluation;
    this.#journal.logEvaluation(step, evaluation);
    yield { type: 'eval', step, totalSteps: this.#plan.totalSteps, best, ...evaluation };
    if (!best || step === 0) return;
    const path = await this.#journal.saveBest(this.#session, this.#state());
    yield { type: 'checkpoint', step, reason: 'best', path };
  }

  async #save(reason: CheckpointEvent['reason']): Promise<CheckpointEvent> {
    const state = this.#state();
    this.#checkpoint = await this.#journal.saveTraining(this.#session, state);
    this.#savedStep = state.step;
    return { type: 'checkpoint', step: state.step, reason, path: this.#checkpoint };
  }

  /** Reads all losses that wait: a checkpoint never follows a NaN. */
  #state(): CheckpointState {
    const { step, tokens, sampler, losses } = this.#session;
    return {
      step,
      sampler: sampler.state(),
      losses: losses.drain(),
      tokens,
      ...(this.#trainLoss === undefined ? {} : { trainLoss: this.#trainLoss }),
      ...(this.#heldOut === undefined ? {} : { heldOut: this.#heldOut }),
      ...(this.#best === undefined ? {} : { best: this.#best }),
    };
  }

  #result(status: TrainResult['status'], figure: string): TrainResult {
    const { step, parameterCount, tokens } = this.#session;
    const bestPath = this.#best !== undefined && this.#best.step > 0 ? this.#journal.bestPath : undefined;
    return {
      status,
      step,
      totalSteps: this.#plan.totalSteps,
      parameters: parameterCount,
      tokens,
      ...(this.#trainLoss === undefined ? {} : { trainLoss: this.#trainLoss }),
      ...(this.#heldOut === undefined ? {} : { heldOut: this.#heldOut }),
      ...(this.#best === undefined ? {} : { best: this.#best }),
      tokensPerSecond: this.#watch.tokensPerSecond(tokens),
      peakRssBytes: this.#peakRssBytes,
      references: this.#data.references,
      checkpoint: this.#journal.relative(this.#checkpoint),
      ...(bestPath === undefined ? {} : { bestCheckpoint: bestPath }),
      figure,
    };
  }

  close(): void {
    this.#journal.close();
    this.#session.dispose();
  }
}
