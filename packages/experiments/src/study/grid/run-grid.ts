/** Runs the cells of a grid that its log does not have yet, one run folder and one row of the log each. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { ConfigError, StatespaceError } from '@statespace/ssd-core';
import type { PlainObject } from '../../config/yaml-file.js';
import type { ExperimentRegistry } from '../../experiment/registry.js';
import { runExperiment } from '../../experiment/run-experiment.js';
import { RunStore } from '../../runs/run-store.js';
import { GridLog, type LogRepair } from './grid-log.js';
import { cellKey, describeCell, type GridCell, identifyingParams, varyingParams } from './grid-plan.js';
import { type LogRecord, logFormatVersion, summarizeChecks } from './log-record.js';
import { extendPlan, readPlan, writePlan } from './plan-file.js';

/** Folder of the runs, beside the log. */
export const gridRunsFolder = 'runs';

export interface GridOptions {
  /** Folder of plan, log and runs. */
  readonly directory: string;
  readonly registry: ExperimentRegistry;
  /** Cells to run; with `resume` and none given, those that were planned before. */
  readonly cells?: readonly GridCell[];
  /** Pass over the cells that the log has; without it their presence is an error. */
  readonly resume?: boolean;
  /** Where to compute: `device` and `threads`. */
  readonly place?: PlainObject;
  readonly signal?: AbortSignal;
}

export interface GridStart {
  readonly type: 'start';
  /** Cells of this call. */
  readonly total: number;
  /** How many of them the log has already. */
  readonly done: number;
  readonly repair: LogRepair;
}

export interface GridRun {
  readonly type: 'run';
  /** Cells of this call that are done, this one included. */
  readonly done: number;
  readonly total: number;
  readonly seconds: number;
  readonly record: LogRecord;
  /** Its parameters in which the runs of its experiment differ. */
  readonly varies: PlainObject;
}

export interface GridResult {
  readonly status: 'completed' | 'interrupted';
  readonly total: number;
  /** Cells of this call that the log has. */
  readonly done: number;
  /** Those of them whose checks did not all hold. */
  readonly failed: number;
}

/**
 * Runs a grid, telling how it goes. The plan is on the disk before the first run begins; a row follows each run.
 * @throws {ConfigError} when the log has some of the cells and `resume` is not set, or there is nothing to resume.
 * @throws {IoError} when another process works on the log.
 */
export async function* runGrid(options: GridOptions): AsyncGenerator<GridStart | GridRun, GridResult> {
  const { directory, registry, resume = false, place = {}, signal = new AbortController().signal } = options;
  const earlier = readPlan(directory);
  const cells = options.cells ?? earlier?.cells;
  if (cells === undefined) throw nothingPlanned(directory);
  // Every cell is checked before the first is run: an unknown name at the end would cost the night.
  for (const { experiment } of cells) registry.get(experiment);
  const log = await GridLog.open(directory);
  try {
    if (!resume) refuseKnown(cells, log);
    await writePlan(directory, extendPlan(earlier, cells, new Date()));
    const store = new RunStore(join(directory, gridRunsFolder));
    removeAbandoned(store, log);
    const varying = varyingParams(cells);
    const open = [...cells.entries()].filter(([, cell]) => !log.has(cell));
    const total = cells.length;
    let done = total - open.length;
    yield { type: 'start', total, done, repair: log.repair };
    for (const [index, cell] of open) {
      // Experiments compute without a pause: here a signal gets its turn.
      await setImmediate();
      const begin = performance.now();
      const record = signal.aborted ? undefined : await runCell(cell, registry, store, place, signal);
      if (record === undefined) return { status: 'interrupted', total, done, failed: failedOf(cells, log) };
      log.append(record);
      done += 1;
      const seconds = (performance.now() - begin) / 1000;
      yield { type: 'run', done, total, seconds, record, varies: varying[index] ?? {} };
    }
    return { status: 'completed', total, done, failed: failedOf(cells, log) };
  } finally {
    log.close();
  }
}

/** The row of one run; undefined when it was interrupted. */
async function runCell(
  cell: GridCell,
  registry: ExperimentRegistry,
  store: RunStore,
  place: PlainObject,
  signal: AbortSignal,
): Promise<LogRecord | undefined> {
  const experiment = registry.get(cell.experiment);
  try {
    const params = { ...cell.params, ...place, seed: cell.seed };
    const outcome = await runExperiment(experiment, params, { store, signal });
    if (outcome.status === 'interrupted') return undefined;
    const { run, result } = outcome;
    return {
      format_version: logFormatVersion,
      run_id: run.id,
      ts: new Date().toISOString(),
      experiment: cell.experiment,
      seed: cell.seed,
      params: identifyingParams(cell.params) as LogRecord['params'],
      passed: result.passed,
      summary: summarizeChecks(result),
      meta: result.metadata as LogRecord['meta'],
    };
  } catch (error) {
    if (signal.aborted && error instanceof StatespaceError && error.code === 'ERR_ABORTED') return undefined;
    throw error;
  }
}

/**
 * Removes what a kill or an interruption left, as this process alone works in the folder: runs without a row, which are
 * done again, and folders that did not become runs. A run that failed with an error stays, for its message.
 */
function removeAbandoned(store: RunStore, log: GridLog): void {
  const logged = new Set(log.records.map((record) => record.run_id));
  const kept = new Set(
    store
      .list()
      .filter((run) => logged.has(run.id) || run.status === 'failed')
      .map((run) => run.directory),
  );
  for (const experiment of subfolders(store.root)) {
    for (const directory of subfolders(experiment)) {
      if (!kept.has(directory)) rmSync(directory, { recursive: true });
    }
  }
}

function subfolders(path: string): string[] {
  if (!existsSync(path)) return [];
  const entries = readdirSync(path, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(path, entry.name));
}

function failedOf(cells: readonly GridCell[], log: GridLog): number {
  const keys = new Set(cells.map(cellKey));
  return log.records.filter((record) => !record.passed && keys.has(cellKey(record))).length;
}

function refuseKnown(cells: readonly GridCell[], log: GridLog): void {
  const known = cells.filter((cell) => log.has(cell));
  const [first] = known;
  if (first === undefined) return;
  throw new ConfigError({
    op: 'grid',
    argument: log.directory,
    wanted: 'a log without these runs',
    got: `${known.length} of them, the first ${describeCell(first)}`,
    hint: 'Pass them over with --resume, or choose another --out-dir',
  });
}

function nothingPlanned(directory: string): ConfigError {
  return new ConfigError({
    op: 'grid',
    argument: directory,
    wanted: 'a grid that was begun there',
    got: 'none',
    hint: 'Name what to run with --experiment',
  });
}
