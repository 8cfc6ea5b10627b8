/** The folder of all runs: `outputs/<experiment>/<run-id>/`. */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ArgumentError, IoError, nearest } from '@statespace/ssd-core';
import { makeFolder } from '@statespace/tensor';
import type { PlainObject } from '../config/yaml-file.js';
import { writeJsonFile } from './json-file.js';
import { Run } from './run.js';
import { createRunId } from './run-id.js';
import { type RunRecord, recordFile, runFormat } from './run-record.js';

/** What a new run begins with. */
export interface NewRun {
  /** Folder of the run under the root. */
  readonly experiment: string;
  /** Name of the experiment's definition, by which the run is resumed. */
  readonly program: string;
  readonly seed: number;
  readonly config: PlainObject;
  readonly environment: object;
}

export class RunStore {
  readonly root: string;

  constructor(root = 'outputs') {
    this.root = resolve(root);
  }

  /** Makes a run folder with its record, configuration and environment; the run is locked for this process. */
  async create({ experiment, program, seed, config, environment }: NewRun): Promise<Run> {
    const { id, directory } = this.#claimFolder(experiment, seed);
    const record: RunRecord = {
      format: runFormat.name,
      formatVersion: runFormat.version,
      id,
      experiment,
      program,
      createdAt: new Date().toISOString(),
      status: 'running',
    };
    const run = new Run(directory, record);
    try {
      run.lock();
      mkdirSync(run.checkpointDirectory);
      await run.writeConfig(config);
      await run.writeEnvironment(environment);
      // The record comes last: a folder without one is no run.
      await writeJsonFile(join(directory, recordFile), record);
    } catch (error) {
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
    return run;
  }

  #claimFolder(experiment: string, seed: number): { id: string; directory: string } {
    const parent = join(this.root, experiment);
    try {
      makeFolder(parent);
      for (;;) {
        const id = createRunId(seed);
        const directory = join(parent, id);
        try {
          mkdirSync(directory);
          return { id, directory };
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        }
      }
    } catch (cause) {
      if (cause instanceof IoError) throw cause;
      throw new IoError({ op: 'RunStore', argument: parent, got: (cause as Error).message, cause });
    }
  }

  /** All runs, oldest first; `experiment` limits it to one. */
  list(experiment?: string): Run[] {
    const parents = experiment === undefined ? folders(this.root) : [experiment];
    const runs = parents.flatMap((parent) =>
      folders(join(this.root, parent))
        .map((id) => join(this.root, parent, id))
        .filter((directory) => existsSync(join(directory, recordFile)))
        .map((directory) => new Run(directory)),
    );
    return runs.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /**
   * The run that `name` stands for: a folder, a run id, the unambiguous end or beginning of one, or `latest`, the latest
   * that `fits` where one does. @throws {ArgumentError} when there is none, or more than one.
   */
  find(name: string, fits: (run: Run) => boolean = () => true): Run {
    if (existsSync(join(name, recordFile))) return new Run(resolve(name));
    const runs = this.list();
    const latest = name === 'latest' ? (runs.findLast(fits) ?? runs.at(-1)) : undefined;
    if (latest !== undefined) return latest;
    const exact = runs.filter((run) => run.id === name);
    const matches =
      exact.length > 0 ? exact : runs.filter((run) => run.id.startsWith(name) || run.id.endsWith(name));
    if (matches.length === 1) return matches[0] as Run;
    const near = nearest(
      name,
      runs.map((run) => run.id),
    );
    throw new ArgumentError({
      op: 'RunStore.find',
      argument: `run '${name}'`,
      wanted: `the id or folder of one run under ${this.root}`,
      got: matches.length === 0 ? 'none that matches' : `${matches.length} that match`,
      hint: near === undefined ? 'List them with: statespace runs' : `Did you mean '${near}'?`,
    });
  }
}

function folders(path: string): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}
