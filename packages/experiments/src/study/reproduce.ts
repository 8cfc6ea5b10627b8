/** A study as one call: runs every experiment, and writes the report that says how it went. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '@statespace/tensor';
import { chooseDevice } from '../runs/choose-device.js';
import { describeEnvironment, type Environment } from '../runs/environment.js';
import { writeJsonFile } from '../runs/json-file.js';
import { RunStore } from '../runs/run-store.js';
import type { Html } from './report/html.js';
import { studyReportHtml } from './report/study-report.js';
import { runStudy, type StudyEntry, type StudyRunOptions } from './run-study.js';
import type { Study } from './study.js';

export interface ReproduceOptions extends Omit<StudyRunOptions, 'store'> {
  /** Folder of the report and of the run folders. */
  readonly directory: string;
  /** The command, for the report. */
  readonly command: string;
  /** What the command line calls itself. */
  readonly program: string;
  /** Sections on work that is done by other commands. */
  readonly companions?: readonly Html[];
}

export interface Reproduction {
  /** Whether every experiment passed. */
  readonly passed: boolean;
  readonly entries: readonly StudyEntry[];
  /** Path of `report.html`. */
  readonly report: string;
}

/** Yields each experiment as it ends. @throws {AbortedError} when the signal fires; then no report is written. */
export async function* reproduceStudy(
  study: Study,
  { directory, command, program, companions = [], ...options }: ReproduceOptions,
): AsyncGenerator<StudyEntry, Reproduction> {
  const store = new RunStore(directory);
  const entries: StudyEntry[] = [];
  for await (const entry of runStudy(study.experiments, { ...options, store })) {
    entries.push(entry);
    yield entry;
  }
  const environment = describeEnvironment(chooseDevice({ device: 'auto' }));
  const finishedAt = new Date();
  const fast = options.fast === true;
  mkdirSync(store.root, { recursive: true });
  const report = join(store.root, 'report.html');
  const text = studyReportHtml({
    ...{ study, entries, fast, environment, finishedAt, command, program, companions },
    directory: store.root,
  });
  await writeFileAtomic(report, text);
  await writeJsonFile(
    join(store.root, 'report.json'),
    reportJson(study, entries, fast, environment, finishedAt),
  );
  return { passed: entries.every(({ status }) => status === 'passed'), entries, report };
}

const reportFormat = { format: 'statespace-study-report', formatVersion: 1 };

function reportJson(
  { name }: Study,
  entries: readonly StudyEntry[],
  fast: boolean,
  environment: Environment,
  finishedAt: Date,
): object {
  const experiments = entries.map(entryJson);
  return {
    ...reportFormat,
    study: name,
    fast,
    finishedAt: finishedAt.toISOString(),
    environment,
    experiments,
  };
}

/** An entry in plain JSON. */
export function entryJson(entry: StudyEntry): object {
  const { experiment, status, seconds, summary } = entry;
  const about = { name: experiment.name, status, seconds, summary };
  return entry.status === 'error' ? about : { ...about, run: entry.run.directory, result: entry.result };
}
