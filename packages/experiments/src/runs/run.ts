/** One run: its folder, its record, its measurements. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, writeFileAtomic } from '@statespace/tensor';
import { formatYaml, type PlainObject, readYamlFile } from '../config/yaml-file.js';
import { readMetrics } from '../metrics/metric-log.js';
import { metricsFile, RunMetrics } from '../metrics/run-metrics.js';
import { readJsonFile, writeJsonFile } from './json-file.js';
import { acquireLock, isLocked, type RunLock } from './run-lock.js';
import { type RunRecord, type RunStatus, readRunRecord, recordFile } from './run-record.js';

const files = {
  config: 'config.yaml',
  environment: 'environment.json',
  result: 'result.json',
  lock: 'run.lock',
  checkpoints: 'checkpoints',
  figures: 'figures',
} as const;

/** What the world sees of a run's state: a `running` record without a living process is `stopped`. */
export type ObservedStatus = RunStatus | 'stopped';

/** A run folder, `outputs/<experiment>/<run-id>/`. */
export class Run {
  readonly directory: string;
  #record: RunRecord;
  #lock: RunLock | undefined;

  constructor(directory: string, record: RunRecord = readRunRecord(directory)) {
    this.directory = directory;
    this.#record = record;
  }

  get id(): string {
    return this.#record.id;
  }

  get experiment(): string {
    return this.#record.experiment;
  }

  get record(): RunRecord {
    return this.#record;
  }

  get checkpointDirectory(): string {
    return join(this.directory, files.checkpoints);
  }

  get status(): ObservedStatus {
    const { status } = this.#record;
    if (status !== 'running' || this.#lock !== undefined) return status;
    return isLocked(join(this.directory, files.lock)) ? 'running' : 'stopped';
  }

  /** The configuration the run was started with. */
  readConfig(): PlainObject {
    return readYamlFile(join(this.directory, files.config));
  }

  async writeConfig(config: PlainObject): Promise<void> {
    await writeFileAtomic(join(this.directory, files.config), formatYaml(config));
  }

  async writeEnvironment(environment: object): Promise<void> {
    await writeJsonFile(join(this.directory, files.environment), environment);
  }

  /** Notes where the run goes on, beside where it was begun. */
  async addResumeEnvironment(environment: object): Promise<void> {
    const begun = this.readEnvironment();
    const earlier = Array.isArray(begun.resumedOn) ? begun.resumedOn : [];
    await this.writeEnvironment({ ...begun, resumedOn: [...earlier, environment] });
  }

  readEnvironment(): PlainObject {
    return readJsonFile(join(this.directory, files.environment)) as PlainObject;
  }

  async writeResult(result: object): Promise<void> {
    await writeJsonFile(join(this.directory, files.result), result);
  }

  /** The result of a completed run, else undefined. */
  readResult(): PlainObject | undefined {
    const path = join(this.directory, files.result);
    return existsSync(path) ? (readJsonFile(path) as PlainObject) : undefined;
  }

  /** Makes the folder for figures, where needed, and gives its path. */
  figureDirectory(): string {
    const path = join(this.directory, files.figures);
    makeFolder(path);
    return path;
  }

  /** Takes the run for this process. @throws {IoError} when another living process has it. */
  lock(): void {
    this.#lock ??= acquireLock(join(this.directory, files.lock));
  }

  unlock(): void {
    this.#lock?.release();
    this.#lock = undefined;
  }

  async setStatus(status: RunStatus, error?: string): Promise<void> {
    const { error: _previous, ...rest } = this.#record;
    this.#record = { ...rest, status, ...(error === undefined ? {} : { error }) };
    await writeJsonFile(join(this.directory, recordFile), this.#record);
  }

  /** The last logged step and held-out loss; absent before the first. */
  progress(): { readonly step?: number; readonly heldOutLoss?: number } {
    const path = join(this.directory, metricsFile);
    const rows = existsSync(path) ? readMetrics(path) : [];
    const step = rows.at(-1)?.step;
    const loss = rows.findLast((row) => row.kind === 'eval')?.loss;
    return {
      ...(step === undefined ? {} : { step }),
      ...(typeof loss === 'number' ? { heldOutLoss: loss } : {}),
    };
  }

  /** Opens `metrics.jsonl` and the TensorBoard file, dropping rows of steps after `keepThrough`. */
  openMetrics(keepThrough?: number): Promise<RunMetrics> {
    return RunMetrics.open(this.directory, this.id, Date.parse(this.#record.createdAt) / 1000, keepThrough);
  }
}
