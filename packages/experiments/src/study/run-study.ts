/** Runs the experiments of a study once each, one after the other; one that breaks does not stop the others. */
import { setImmediate } from 'node:timers/promises';
import { AbortedError, StatespaceError } from '@statespace/ssd-core';
import { mergeLayers } from '../config/layers.js';
import type { PlainObject } from '../config/yaml-file.js';
import type { Experiment } from '../experiment/define.js';
import type { ExperimentResult } from '../experiment/result.js';
import { runExperiment } from '../experiment/run-experiment.js';
import type { Run } from '../runs/run.js';
import type { RunStore } from '../runs/run-store.js';
import { summarizeChecks } from './grid/log-record.js';

export interface StudyRunOptions {
  readonly store: RunStore;
  /** Each experiment's smaller version, with the same claims. */
  readonly fast?: boolean;
  readonly signal?: AbortSignal;
  /** Called when an experiment begins. */
  readonly onBegin?: (experiment: Experiment) => void;
}

/** How one experiment of a study went. */
export type StudyEntry = {
  readonly experiment: Experiment;
  /** Drawing its figures included. */
  readonly seconds: number;
  /** What was found, or what went wrong: one line. */
  readonly summary: string;
} & (
  | { readonly status: 'passed' | 'failed'; readonly result: ExperimentResult; readonly run: Run }
  | { readonly status: 'error' }
);

/** @throws {AbortedError} when `signal` fires. */
export async function* runStudy(
  experiments: readonly Experiment[],
  { store, fast = false, signal = new AbortController().signal, onBegin = () => {} }: StudyRunOptions,
): AsyncGenerator<StudyEntry, void> {
  for (const experiment of experiments) {
    // Experiments compute without a pause: here a signal gets its turn.
    await setImmediate();
    if (signal.aborted) throw new AbortedError({ op: 'runStudy', cause: signal.reason });
    onBegin(experiment);
    const begin = performance.now();
    const outcome = await attempt(experiment, studyParams(experiment, fast), store, signal);
    yield { experiment, seconds: (performance.now() - begin) / 1000, ...outcome };
  }
}

/** What a study runs an experiment with. */
export function studyParams(experiment: Experiment, fast: boolean): PlainObject {
  return mergeLayers(experiment.preset ?? {}, fast ? (experiment.fast ?? {}) : {});
}

async function attempt(experiment: Experiment, params: PlainObject, store: RunStore, signal: AbortSignal) {
  try {
    const outcome = await runExperiment(experiment, params, { store, signal });
    if (outcome.status === 'interrupted') throw new AbortedError({ op: 'runStudy', cause: signal.reason });
    const { run, result } = outcome;
    const status = result.passed ? ('passed' as const) : ('failed' as const);
    return { status, run, result, summary: oneLine(summarizeChecks(result)) };
  } catch (error) {
    if (error instanceof StatespaceError && error.code === 'ERR_ABORTED') throw error;
    return {
      status: 'error' as const,
      summary: oneLine(error instanceof Error ? error.message : String(error)),
    };
  }
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
