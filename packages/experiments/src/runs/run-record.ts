/** `run.json`: what a run is and how it stands. */
import { join } from 'node:path';
import { type FileFormat, migrate, type Versioned } from './format-version.js';
import { readJsonFile } from './json-file.js';

export const recordFile = 'run.json';

/** How a run ended, as its own process wrote it down. */
export type RunStatus = 'running' | 'completed' | 'interrupted' | 'failed';

export interface RunRecord extends Versioned {
  readonly id: string;
  /** Folder the run is in. */
  readonly experiment: string;
  /** Name of the experiment's definition, by which the run is resumed. */
  readonly program: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly status: RunStatus;
  /** Message of the error that ended a failed run. */
  readonly error?: string;
}

export const runFormat: FileFormat = { name: 'statespace-run', version: 1, migrations: {} };

/** @throws {IoError} when there is no run in the folder. @throws {FormatError} */
export function readRunRecord(directory: string): RunRecord {
  const path = join(directory, recordFile);
  return migrate(readJsonFile(path), runFormat, path) as unknown as RunRecord;
}
