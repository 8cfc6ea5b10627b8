/** Runs an experiment in a run folder of its own: made or taken up again, locked, and closed whatever happens. */
import { rmSync } from 'node:fs';
import { CheckpointError, StatespaceError } from '@statespace/ssd-core';
import { Generator, setDefaultDevice } from '@statespace/tensor';
import type { z } from 'zod';
import { mergeLayers } from '../config/layers.js';
import { parseConfig } from '../config/parse-config.js';
import type { PlainObject } from '../config/yaml-file.js';
import { chooseDevice } from '../runs/choose-device.js';
import { describeEnvironment, type Environment } from '../runs/environment.js';
import type { Run } from '../runs/run.js';
import type { RunStore } from '../runs/run-store.js';
import { listStepCheckpoints } from '../train/checkpoint.js';
import type { TrainEvent } from '../train/events.js';
import type { Experiment, ExperimentOutcome, ParamsSchema } from './define.js';
import type { ExperimentResult, Findings } from './result.js';

export interface RunExperimentOptions {
  readonly store: RunStore;
  readonly signal?: AbortSignal;
  readonly report?: (event: TrainEvent) => void;
  /** Called once the run folder exists. */
  readonly onRun?: (run: Run, environment: Environment) => void;
}

type Params = z.output<ParamsSchema>;

/** How a run ended. */
export type RunOutcome =
  | { readonly status: 'completed'; readonly run: Run; readonly result: ExperimentResult }
  | { readonly status: 'interrupted'; readonly run: Run; readonly step: number; readonly checkpoint: string };

/**
 * Starts a new run of `experiment`.
 * @param params checked against the experiment's schema; defaults fill what is absent
 * @throws {ConfigError} before anything is written when the parameters do not fit.
 */
export async function runExperiment(
  experiment: Experiment,
  params: PlainObject,
  options: RunExperimentOptions,
): Promise<RunOutcome> {
  const checked = checkParams(experiment, params, experiment.name);
  const device = chooseDevice(checked);
  const environment = describeEnvironment(device);
  const run = await options.store.create({
    experiment: experiment.folder?.(checked) ?? experiment.name,
    program: experiment.name,
    seed: checked.seed,
    config: checked as unknown as PlainObject,
    environment,
  });
  return execute(experiment, checked, environment, run, false, options);
}

/**
 * Goes on with a run that was interrupted or killed.
 * @param overrides parameters that do not change the training, such as threads
 * @throws {IoError} when another process works on it. @throws {CheckpointError} when it is complete.
 */
export async function resumeExperiment(
  experiment: Experiment,
  run: Run,
  options: Omit<RunExperimentOptions, 'store'>,
  overrides: PlainObject = {},
): Promise<RunOutcome> {
  if (run.status === 'completed') {
    throw new CheckpointError({
      op: 'resume',
      argument: run.id,
      wanted: 'a run that can go on',
      got: 'a completed one',
    });
  }
  const checked = checkParams(experiment, mergeLayers(run.readConfig(), overrides), run.directory);
  const device = chooseDevice(checked);
  run.lock();
  return execute(experiment, checked, describeEnvironment(device), run, true, options);
}

/** The parameters with defaults, after the schema's rules and the experiment's own. @throws {ConfigError} */
export function checkParams(experiment: Experiment, params: PlainObject, source: string): Params {
  const checked = parseConfig(experiment.params, params, source);
  experiment.check?.(checked);
  return checked;
}

async function execute(
  experiment: Experiment,
  params: Params,
  environment: Environment,
  run: Run,
  resume: boolean,
  { signal = new AbortController().signal, report = () => {}, onRun }: Partial<RunExperimentOptions>,
): Promise<RunOutcome> {
  const { device } = environment;
  try {
    setDefaultDevice(device);
    await run.setStatus('running');
    if (resume) await run.addResumeEnvironment(environment);
    onRun?.(run, environment);
    const generator = new Generator(params.seed);
    const begin = performance.now();
    const outcome = await experiment.run(params, { run, generator, device, resume, signal, report });
    const durationMs = Math.round(performance.now() - begin);
    return await finish(run, outcome, (findings) => ({
      name: experiment.name,
      passed: findings.details.every((check) => check.passed || check.advisory === true),
      ...findings,
      seed: params.seed,
      dtype: experiment.dtype ?? 'f32',
      durationMs,
      versions: { node: environment.node, ...environment.versions },
    }));
  } catch (error) {
    if (!resume && wasNeverBegun(run, error)) rmSync(run.directory, { recursive: true });
    else await recordFailure(run, error);
    throw error;
  } finally {
    run.unlock();
  }
}

async function finish(
  run: Run,
  outcome: ExperimentOutcome,
  resultOf: (findings: Findings) => ExperimentResult,
): Promise<RunOutcome> {
  if (outcome.status === 'interrupted') {
    await run.setStatus('interrupted');
    return { ...outcome, run };
  }
  const { status, ...findings } = outcome;
  const result = resultOf(findings);
  await run.writeResult(result);
  await run.setStatus('completed');
  return { status, run, result };
}

const inputCodes = new Set(['ERR_CONFIG', 'ERR_DATA', 'ERR_ARGUMENT', 'ERR_SHAPE', 'ERR_DTYPE']);

/** Whether bad input showed only after the folder was made, and nothing worth keeping is in it. */
function wasNeverBegun(run: Run, error: unknown): boolean {
  const badInput = error instanceof StatespaceError && inputCodes.has(error.code);
  return (
    badInput && run.progress().step === undefined && listStepCheckpoints(run.checkpointDirectory).length === 0
  );
}

async function recordFailure(run: Run, error: unknown): Promise<void> {
  const aborted = error instanceof StatespaceError && error.code === 'ERR_ABORTED';
  try {
    if (aborted) await run.setStatus('interrupted');
    else await run.setStatus('failed', error instanceof Error ? error.message : String(error));
  } catch {
    // The disk may be what failed: the first error tells more. Without a living process the run shows as stopped.
  }
}
