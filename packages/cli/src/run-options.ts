/** Options that every command which starts runs has, and the runs they lead to. */
import {
  configJsonSchema,
  type Environment,
  type Experiment,
  mergeLayers,
  type PlainObject,
  parseConfig,
  parseSeeds,
  type Run,
  type RunOutcome,
  RunStore,
  readYamlFile,
  resumeExperiment,
  runExperiment,
  schemaFlags,
  type TrainEvent,
} from '@statespace/experiments';
import { ConfigError } from '@statespace/ssd-core';
import type { Command } from 'commander';
import { interruptible } from './interrupt.js';
import type { Terminal } from './terminal.js';
import { TrainingProgress } from './training-progress.js';

/** As commander parses them. */
export interface RunOptions {
  readonly config?: string;
  /** A list where the experiment itself has a flag of this name. */
  readonly seed?: string | readonly string[];
  readonly resume?: string;
  readonly schema?: boolean;
  /** Folder of all runs. */
  readonly outDir: string;
}

/** Adds `--config`, `--seed`, `--resume` and `--out-dir`. @param params of the experiment the command runs */
export function addRunOptions(command: Command, params?: Experiment['params']): Command {
  const flags = params === undefined ? [] : schemaFlags(params).filter(({ path }) => path !== 'seed');
  const names = flags.flatMap((flag) => flag.names);
  command.option('--config <file>', 'YAML file with parameters; flags override it');
  // An experiment over seeds takes them all in one run.
  if (!names.includes('--seed')) command.option('--seed <list>', 'seeds, one run each: 3, 0..9 or 0,2,5..7');
  command.option('--resume <run>', 'go on with a run that stopped: its id, its folder or latest');
  // Originals that draw a figure call its path --out.
  return addFolderOption(command, !names.includes('--out'));
}

/** Adds `--out-dir`, the folder of all runs, and `--out` as another spelling where that is free. */
export function addFolderOption(command: Command, outIsFree = true): Command {
  command.option('--out-dir <folder>', 'folder of all runs', 'outputs');
  if (!outIsFree) return command;
  return command
    .option('--out <folder>', 'same as --out-dir')
    .on('option:out', (folder: string) => command.setOptionValue('outDir', folder));
}

/** Adds `--schema`; the commands that have it ask `printSchema` first. */
export function addSchemaOption(command: Command): Command {
  return command.option('--schema', 'print the JSON Schema of the configuration file and stop');
}

/** Prints the schema where it was asked for, and says whether it was. */
export function printSchema(terminal: Terminal, { params }: Experiment, { schema }: RunOptions): boolean {
  if (schema !== true) return false;
  const document = configJsonSchema(params);
  terminal.print(JSON.stringify(document, null, 2));
  terminal.printJson(document);
  return true;
}

/** Parameters that may change when a run is resumed, since they do not change its bits. */
const resumable = new Set(['threads', 'device', 'data', 'data.dataDir']);

/** Runs `experiment` once per seed, or goes on with a run; stops at the first interruption. */
export async function startRuns(
  terminal: Terminal,
  experimentOf: (program: string | undefined) => Experiment,
  layer: PlainObject,
  options: RunOptions,
): Promise<RunOutcome[]> {
  const store = new RunStore(options.outDir);
  return interruptible(terminal, async (signal) => {
    const report = reporter(terminal);
    const onRun = (run: Run, environment: Environment): void => {
      terminal.note(`run folder: ${run.directory}`);
      terminal.note(`computing on ${describeBackend(environment, run.readConfig().device)}`);
    };
    if (options.resume !== undefined) {
      refuseOtherParameters(layer, options);
      const run = store.find(options.resume);
      const experiment = experimentOf(run.record.program);
      return [await resumeExperiment(experiment, run, { signal, report, onRun }, layer)];
    }
    const experiment = experimentOf(undefined);
    const params = layeredParams(experiment, layer, options.config);
    const seeds = typeof options.seed === 'string' ? parseSeeds(options.seed) : [undefined];
    const outcomes: RunOutcome[] = [];
    for (const seed of seeds) {
      const seeded = seed === undefined ? params : { ...params, seed };
      const outcome = await runExperiment(experiment, seeded, { store, signal, report, onRun });
      outcomes.push(outcome);
      if (outcome.status === 'interrupted') break;
    }
    return outcomes;
  });
}

/** Preset, file and flags, one above the other, checked before anything starts. */
function layeredParams(experiment: Experiment, layer: PlainObject, configFile?: string): PlainObject {
  const file = configFile === undefined ? {} : readYamlFile(configFile);
  // Checked alone first, so that a mistake in the file is reported with the file's name.
  if (configFile !== undefined) parseConfig(experiment.params, file, configFile);
  return mergeLayers(mergeLayers(experiment.preset ?? {}, file), layer);
}

/** Where the work is done; slow kernels are never a surprise. */
function describeBackend({ device, isa, threads }: Environment, wanted: unknown): string {
  if (device === 'reference') {
    return wanted === device
      ? 'reference (TypeScript)'
      : 'reference (TypeScript, slow; statespace doctor tells more)';
  }
  return `${device} (${isa}, ${threads} threads)`;
}

function reporter(terminal: Terminal): (event: TrainEvent) => void {
  let progress = new TrainingProgress(terminal);
  return (event) => {
    if (event.type === 'start') progress = new TrainingProgress(terminal);
    progress.show(event);
  };
}

function refuseOtherParameters(layer: PlainObject, { config, seed }: RunOptions): void {
  const data = (layer.data ?? {}) as PlainObject;
  const paths = [...Object.keys(layer), ...Object.keys(data).map((key) => `data.${key}`)];
  const wrong =
    config !== undefined
      ? 'config'
      : seed !== undefined
        ? 'seed'
        : paths.find((path) => !resumable.has(path));
  if (wrong === undefined) return;
  throw new ConfigError({
    op: 'resume',
    argument: `--${wrong}`,
    wanted: 'only --threads, --device, --data-dir and --out beside --resume',
    got: 'another parameter',
    hint: 'A resumed run keeps its own configuration',
  });
}
