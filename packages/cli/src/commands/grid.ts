/** `statespace grid`: grids over the experiments of the SSD-duality study, with a log. */
import { join } from 'node:path';
import {
  ExperimentRegistry,
  type GridCell,
  type GridResult,
  type GridRun,
  type GridStart,
  parseIntegers,
  planSsdDualityGrid,
  runGrid,
  type SsdDualityAxes,
  selectExperiments,
  ssdDuality,
} from '@statespace/experiments';
import { type Command, Option } from 'commander';
import { exitCode } from '../exit-codes.js';
import { folderOption, programName, relativePath } from '../finish-runs.js';
import { interruptible } from '../interrupt.js';
import { formatDuration } from '../number-format.js';
import { parseInteger } from '../parse-option.js';
import { addFolderOption } from '../run-options.js';
import type { Terminal } from '../terminal.js';
import { splitNames } from './verify.js';

interface GridOptions extends SsdDualityAxes {
  readonly experiment?: readonly string[];
  readonly repeats?: number;
  readonly seedBase?: number;
  readonly fast?: boolean;
  readonly resume?: boolean;
  readonly outDir: string;
}

const defaultRepeats = 10;

const examples = `
Examples:
  $ statespace grid --experiment exp2 --exp2-n-list 1 2 4 8 --repeats 10
  $ statespace grid --experiment exp3 --exp3-t-list 15 30 60 --exp3-seeds 0 1 --repeats 3
  $ statespace grid --experiment exp4 --end-to-end --exp4-plot --repeats 5
  $ statespace grid --fast --repeats 2         every experiment, small
  $ statespace grid --resume                   goes on with what was planned
  $ statespace check-logs                      is the log whole, and do its numbers hold?

Every combination of the lists is run --repeats times, with the seeds --seed-base, --seed-base + 1, ... Each run adds a
line to runs.jsonl and the same row to runs.csv in <out-dir>/ssd-duality/grid. Ctrl-C stops after the present run.`;

export function addGridCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('grid')
    .description('run grids over the experiments of the SSD-duality study, with a log as JSON lines and CSV')
    .option('--experiment <names...>', 'experiments by name or alias (default: all of the study)')
    .option(
      '--repeats <n>',
      `runs of each combination (default ${defaultRepeats})`,
      parseInteger('--repeats', 1),
    )
    .option('--seed-base <n>', 'first seed (default 0)', parseInteger('--seed-base', 0))
    .option('--fast', 'smaller versions with the same claims')
    .option(
      '--exp2-n-list <list...>',
      'numbers of states of exp2 and exp2b, one run each',
      collect('--exp2-n-list'),
    )
    .option('--exp3-t-list <list...>', 'lengths of exp3, one run each', collect('--exp3-t-list'))
    .option('--exp3-seeds <list...>', "seeds of exp3's random decays", collect('--exp3-seeds'))
    .option('--exp3-random-n <n>', 'random decays in exp3', parseInteger('--exp3-random-n', 0))
    .option('--exp4-end-to-end', 'time kernel construction in exp4, too')
    .addOption(new Option('--end-to-end', 'same as --exp4-end-to-end').implies({ exp4EndToEnd: true }))
    .option('--exp4-plot', "draw exp4's figure beside the run folders, too")
    .option('--exp4-plot-path <file>', 'where: .png, .svg or .pdf')
    .option('--resume', 'pass over what the log has; alone, it goes on with what was planned')
    .addHelpText('after', examples);
  addFolderOption(command).action((options: GridOptions) => grid(terminal, options));
}

/** A commander parser for a list of whole numbers, given with spaces, commas or as a range. */
function collect(name: string): (text: string, before: readonly number[] | undefined) => number[] {
  return (text, before = []) => [...before, ...parseIntegers(text, name)];
}

async function grid(terminal: Terminal, options: GridOptions): Promise<void> {
  const directory = join(options.outDir, ssdDuality.name, 'grid');
  const cells = plannedCells(options);
  const result = await interruptible(terminal, async (signal) => {
    const { resume = false } = options;
    const steps = runGrid({
      ...{ directory, resume, signal, registry: new ExperimentRegistry(ssdDuality.experiments) },
      ...(cells === undefined ? {} : { cells }),
    });
    const began = performance.now();
    for (;;) {
      const next = await steps.next();
      if (next.done === true) return next.value;
      show(terminal, next.value, began);
    }
  });
  finish(terminal, result, directory, options);
}

const planning = [
  'experiment',
  'repeats',
  'seedBase',
  'fast',
  ...['exp2NList', 'exp3TList', 'exp3Seeds', 'exp3RandomN', 'exp4EndToEnd', 'exp4Plot', 'exp4PlotPath'],
] as const;

/** The cells that the flags name; undefined where `--resume` stands alone. */
function plannedCells(options: GridOptions): GridCell[] | undefined {
  const { experiment, repeats = defaultRepeats, seedBase = 0, resume } = options;
  if (resume === true && planning.every((name) => options[name as keyof GridOptions] === undefined))
    return undefined;
  const experiments = selectExperiments(ssdDuality, splitNames(experiment));
  return planSsdDualityGrid({ ...options, experiments, repeats, seedBase });
}

function show(terminal: Terminal, event: GridStart | GridRun, began: number): void {
  if (event.type === 'start') {
    const { total, done, repair } = event;
    if (repair.droppedLine) terminal.note('the last line of runs.jsonl was cut short; its run is done again');
    if (repair.rewroteCsv) terminal.note('runs.csv was brought up to date with runs.jsonl');
    terminal.note(`${total} runs${done === 0 ? '' : `, ${done} of them in the log already`}`);
    return;
  }
  const { done, total, seconds, record, varies } = event;
  const elapsed = formatDuration((performance.now() - began) / 1000);
  const verdict = record.passed ? 'PASS' : 'FAIL';
  const place = `${String(done).padStart(String(total).length)}/${total}`;
  const params = Object.entries(varies).map(([name, value]) => `${name} ${JSON.stringify(value)}, `);
  const what = `${record.experiment}  ${params.join('')}seed ${record.seed}`;
  terminal.print(`${place}  ${what}  ${verdict}  ${seconds.toFixed(1)} s  (${elapsed})`);
  if (!record.passed) terminal.print(`    ${record.summary}`);
}

function finish(terminal: Terminal, result: GridResult, directory: string, { outDir }: GridOptions): void {
  const { status, total, done, failed } = result;
  terminal.print(`${done} of ${total} runs in the log, ${failed === 0 ? 'all passed' : `${failed} failed`}`);
  terminal.print(`log: ${relativePath(join(directory, 'runs.jsonl'))}, runs.csv beside it`);
  terminal.printJson({ ...result, directory });
  if (status === 'interrupted') {
    terminal.note('Interrupted; every finished run is in the log. Go on with:');
    terminal.note(`  ${programName()} grid --resume${folderOption(outDir)}`);
    process.exitCode = exitCode.interrupted;
    return;
  }
  process.exitCode = failed === 0 ? exitCode.ok : exitCode.failed;
}
