/** `statespace plot`: figures from the logs that studies leave. */
import { dirname, join } from 'node:path';
import {
  type CurveMetric,
  comparisonFolder,
  curveMetrics,
  datasetName,
  plotRuns,
  plotVarianceBands,
  seriesFolder,
  seriesRunsFile,
  seriesTask,
  trainRunsFile,
} from '@statespace/experiments';
import { type Command, Option } from 'commander';
import { relativePath } from '../finish-runs.js';
import { labelWidth } from '../number-format.js';
import type { Terminal } from '../terminal.js';

const examples = `
Examples:
  $ statespace plot variance-bands --models mamba_simple mamba_SSD_diag_exp --require-all-models
  $ statespace plot variance-bands --log-path plots/train_runs.jsonl --metric val_acc
  $ statespace plot runs --task synthetic_decays --latest_only --log_val_curves`;

export function addPlotCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('plot')
    .description('draw figures from the logs of studies')
    .addHelpText('after', examples);
  addVarianceBands(command, terminal);
  addRuns(command, terminal);
}

interface BandOptions {
  readonly logPath: string;
  readonly outDir?: string;
  readonly dataset: string;
  readonly models?: readonly string[];
  readonly metric: CurveMetric;
  readonly requireAllModels?: boolean;
}

function addVarianceBands(parent: Command, terminal: Terminal): void {
  parent
    .command('variance-bands')
    .aliases(['variance_bands', 'plot_variance_bands'])
    .description('curves of wikitext2-comparison over seeds: mean and standard deviation of each model')
    .option('--log-path <file>', 'log of trainings', join('outputs', comparisonFolder, trainRunsFile))
    .option('--out-dir <folder>', 'folder of the figures (default: that of the log)')
    .option('--dataset <name>', 'data set of the trainings', datasetName)
    .option('--models <name...>', 'models, in this order (default: all in the log)')
    .addOption(new Option('--metric <name>', 'what is drawn').choices(curveMetrics).default('val_loss'))
    .option('--require-all-models', 'only seeds that every model has; an error when there is none')
    .action(async (options: BandOptions) => {
      const {
        logPath,
        outDir = dirname(logPath),
        dataset,
        models,
        metric,
        requireAllModels = false,
      } = options;
      const drawn = await plotVarianceBands({
        ...{ logPath, outDir, dataset, metric, requireAllModels },
        ...(models === undefined ? {} : { models }),
      });
      if (drawn.otherFlags > 0) {
        terminal.note(
          `left out: ${drawn.otherFlags} trainings with other flags than the last one (${drawn.differsIn})`,
        );
      }
      terminal.printJson(drawn);
      const rows = drawn.bands.map(({ model, seeds }): [string, string] => [
        'model',
        `${model}, seeds ${seeds.join(', ')}`,
      ]);
      printRows(terminal, [
        ...rows,
        ['figure', relativePath(drawn.png)],
        ['summary', relativePath(drawn.summary)],
      ]);
    });
}

interface RunPlotOptions {
  readonly logPath: string;
  readonly outDir?: string;
  readonly task: string;
  readonly latestOnly?: boolean;
  readonly logValCurves?: boolean;
}

function addRuns(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('runs')
    .alias('plot_runs')
    .description('time-series fits: held-out error by epoch, and at the end by state size')
    .option('--log-path <file>', 'log of fits', join('outputs', seriesFolder, seriesRunsFile))
    .option('--out-dir <folder>', 'folder of the figures (default: that of the log)')
    .option('--task <name>', 'task of the fits', seriesTask)
    .option('--latest-only', 'only the fits of the last run (default: all with its flags)')
    .option('--log-val-curves', 'a logarithmic axis for the errors by epoch');
  addUnderscored(command, 'latest_only', 'latestOnly');
  addUnderscored(command, 'log_val_curves', 'logValCurves');
  command.action(async (options: RunPlotOptions) => {
    const { logPath, outDir = dirname(logPath), task, latestOnly = false, logValCurves = false } = options;
    const drawn = await plotRuns({ logPath, outDir, task, latestOnly, logValCurves });
    if (drawn.leftOut > 0) terminal.note(`left out: ${drawn.leftOut} fits of earlier runs or other flags`);
    terminal.printJson(drawn);
    const rows = drawn.rows.map(({ model, N, seed, final_val_mse }): [string, string] => [
      'fit',
      `${model}, N = ${N}, seed ${seed}: held-out error ${final_val_mse.toExponential(3)}`,
    ]);
    const figures = [drawn.curves, drawn.final].map(({ png }): [string, string] => [
      'figure',
      relativePath(png),
    ]);
    printRows(terminal, [...rows, ...figures]);
  });
}

/** The original's spelling of a switch. */
function addUnderscored(command: Command, name: string, attribute: string): void {
  command
    .addOption(new Option(`--${name}`, `same as --${name.replaceAll('_', '-')}`))
    .on(`option:${name}`, () => command.setOptionValue(attribute, true));
}

function printRows(terminal: Terminal, rows: readonly (readonly [string, string])[]): void {
  for (const [name, text] of rows) terminal.print(`${name.padEnd(labelWidth)} ${text}`);
}
