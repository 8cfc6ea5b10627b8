/** What a training run tells while it goes on, and what it returns. */
import type { FigureFiles } from '../figures/render-figure.js';
import type { Evaluation } from './evaluate.js';

export interface StartEvent {
  readonly type: 'start';
  /** Steps done already; above 0 when resumed. */
  readonly step: number;
  readonly totalSteps: number;
  /** Numbers the optimiser changes. */
  readonly parameters: number;
  readonly vocabSize: number;
  readonly trainWindows: number;
  readonly heldOutWindows: number;
  /** Held-out losses to compare with, nats per token, by name. */
  readonly references: Readonly<Record<string, number>>;
  /** What changed since the run was begun and may change its bits, such as another instruction set. */
  readonly warnings: readonly string[];
}

/** After every optimiser step. Nothing was read from the device for it. */
export interface StepEvent {
  readonly type: 'step';
  /** Steps done, this one included. */
  readonly step: number;
  readonly totalSteps: number;
  /** Training tokens of this step. */
  readonly tokens: number;
  /** Mean training loss of this step in nats per token; the first call waits for the device. */
  readonly loss: () => number;
}

/** Every `logEvery` steps; also a `train` row of the metric log. */
export interface LogEvent {
  readonly type: 'log';
  readonly step: number;
  readonly totalSteps: number;
  readonly epoch: number;
  /** Mean training loss since the last log, nats per token. */
  readonly loss: number;
  /** Norm of the last step's gradient before clipping. */
  readonly gradNorm: number;
  readonly lr: number;
  /** Training tokens per second since the last log, evaluations and checkpoints not counted. */
  readonly tokensPerSecond: number;
  /** Estimate from this process's part of the run, evaluations included. */
  readonly secondsLeft: number;
  /** Resident memory of the process. */
  readonly rssBytes: number;
}

/** A held-out evaluation; also an `eval` row of the metric log. */
export interface EvalEvent extends Evaluation {
  readonly type: 'eval';
  readonly step: number;
  readonly totalSteps: number;
  /** Whether it is the best so far. */
  readonly best: boolean;
}

export interface CheckpointEvent {
  readonly type: 'checkpoint';
  readonly step: number;
  /** `best` holds weights alone; the others hold all that resuming needs. */
  readonly reason: 'periodic' | 'best' | 'interrupted' | 'final';
  readonly path: string;
}

export interface FigureEvent {
  readonly type: 'figure';
  readonly files: FigureFiles;
}

export interface EndEvent {
  readonly type: 'end';
  readonly result: TrainResult;
}

/** A line about work that is no single training. */
export interface NoteEvent {
  readonly type: 'note';
  readonly text: string;
  /** Of the moment only: the next line may take its place. */
  readonly passing: boolean;
}

export type TrainEvent =
  | StartEvent
  | StepEvent
  | LogEvent
  | EvalEvent
  | CheckpointEvent
  | FigureEvent
  | EndEvent
  | NoteEvent;

/** The lowest held-out loss and when it was reached. */
export interface BestEvaluation {
  readonly step: number;
  /** Nats per token. */
  readonly loss: number;
}

export interface TrainResult {
  readonly status: 'completed' | 'interrupted';
  readonly step: number;
  readonly totalSteps: number;
  readonly parameters: number;
  /** Training tokens seen by the whole run. */
  readonly tokens: number;
  /** Last logged mean training loss, nats per token. */
  readonly trainLoss?: number;
  /** The last held-out evaluation. */
  readonly heldOut?: Evaluation;
  readonly best?: BestEvaluation;
  /** Over this process's part of the run. */
  readonly tokensPerSecond: number;
  /** Largest resident memory of the process so far. */
  readonly peakRssBytes: number;
  readonly references: Readonly<Record<string, number>>;
  /** Latest checkpoint, from the run folder. */
  readonly checkpoint: string;
  /** Weights of the best evaluation, from the run folder. */
  readonly bestCheckpoint?: string;
  /** From the run folder. */
  readonly figure?: string;
}
