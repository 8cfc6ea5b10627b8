/** A study as one call: runs every experiment, and writes the report that says how it went. */
import { join } from 'node:path';
import { makeFolder, writeFileAtomic } from '@statespace/tensor';
import { chooseDevice } from '../runs/choose-device.js';
import { describeEnvironment, type Environment } from '../runs/environment.js';
import { writeJsonFile } from '../runs/json-file.js';
import { RunStore } from '../runs/run-store.js';
import { studyReportHtml } from './report/study-report.js';
import { runStudy, type StudyEntry, type StudyRunOptions } from './run-study.js';
import type { Study } from './study.js';

export interface ReproduceOptions extends Omit<StudyRunOptions, 'store'> {
  /** Folder of all runs; the report and the study's runs go to `<study>/reproduce` or `reproduce-fast` in it. */
  readonly outDir: string;
  /** The command, for the report. */
  readonly command: string;
  /** What the command line calls itself. */
  readonly program: string;
}

export interface Reproduction {
  /** Whether every experiment passed. */
  readonly passed: boolean;
  readonly entries: readonly StudyEntry[];
  /** Path of `report.html`. */
  readonly report: string;
  /** What `report.json` holds. */
  readonly data: object;
}

/** Yields each experiment as it ends. @throws {AbortedError} when the signal fires; then no report is written. */
export async function* reproduceStudy(
  study: Study,
  { outDir, command, program, ...options }: ReproduceOptions,
): AsyncGenerator<StudyEntry, Reproduction> {
  const fast = options.fast === true;
  const store = new RunStore(join(outDir, study.name, fast ? 'reproduce-fast' : 'reproduce'));
  const entries: StudyEntry[] = [];
  for await (const entry of runStudy(study.experiments, { ...options, store })) {
    entries.push(entry);
    yield entry;
  }
  const environment = describeEnvironment(chooseDevice({ device: 'auto' }));
  const finishedAt = new Date();
  const companions = (await study.companions?.(outDir, program)) ?? [];
  makeFolder(store.root);
  const report = join(store.root, 'report.html');
  const text = studyReportHtml({
    ...{ study, entries, fast, environment, finishedAt, command, program, companions },
    directory: store.root,
  });
  await writeFileAtomic(report, text);
  const data = reportJson(study, entries, fast, environment, finishedAt);
  await writeJsonFile(join(store.root, 'report.json'), data);
  return { passed: entries.every(({ status }) => status === 'passed'), entries, report, data };
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
