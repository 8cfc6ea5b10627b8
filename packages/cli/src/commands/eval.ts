/** `statespace eval`: judges a trained model on held-out or test windows. */
import {
  evaluate,
  isTrained,
  loadTrainData,
  openTrainedModel,
  RunStore,
  type TrainConfig,
} from '@statespace/experiments';
import { ConfigError } from '@statespace/ssd-core';
import { type Command, Option } from 'commander';
import { interruptible } from '../interrupt.js';
import { formatCount, formatPercent } from '../number-format.js';
import { parseInteger } from '../parse-option.js';
import { addFolderOption } from '../run-options.js';
import type { Terminal } from '../terminal.js';

interface EvalOptions {
  readonly run: string;
  readonly checkpoint: string;
  readonly split: 'held-out' | 'test';
  readonly dataDir?: string;
  readonly device?: string;
  readonly threads?: number;
  readonly batchSize?: number;
  readonly outDir: string;
}

const examples = `
Examples:
  $ statespace eval                                   the latest run, best weights, held-out windows
  $ statespace eval --run 20250131-142530-s0-9f2c1a --checkpoint latest
  $ statespace eval --split test --data-dir ./wikitext-2 --json`;

export function addEvalCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('eval')
    .description('judge a trained model: loss, perplexity and accuracy')
    .option('--run <run>', 'id or folder of the run', 'latest')
    .option('--checkpoint <which>', 'best, latest or a file', 'best')
    .addOption(
      new Option('--split <name>', 'windows to judge on').choices(['held-out', 'test']).default('held-out'),
    )
    .option('--data-dir <folder>', 'folder of a local copy of the data, where it has moved')
    .option('--batch-size <n>', 'windows of a batch', parseInteger('--batch-size', 1))
    .option('--device <name>', 'auto, reference, cpu, cuda or cuda:<index>')
    .option('--threads <n>', 'CPU threads', parseInteger('--threads', 1));
  addFolderOption(command)
    .addHelpText('after', examples)
    .action((options: EvalOptions) => interruptible(terminal, (signal) => run(terminal, options, signal)));
}

async function run(terminal: Terminal, options: EvalOptions, signal: AbortSignal): Promise<void> {
  const found = new RunStore(options.outDir).find(options.run, isTrained);
  const { model, config, checkpoint, step } = await openTrainedModel(found, options);
  const data = await loadTrainData(withDataDir(config, options.dataDir), { signal });
  const samples = options.split === 'test' ? data.test : data.heldOut;
  if (samples === undefined) {
    throw new ConfigError({
      op: 'eval',
      argument: '--split',
      wanted: "'held-out'",
      got: "'test'",
      hint: `${data.name} has no test part`,
    });
  }
  const batchSize = options.batchSize ?? config.trainer.evalBatchSize ?? config.trainer.batchSize;
  const evaluation = await evaluate(model, samples, { batchSize, signal });
  terminal.printJson({ run: found.id, checkpoint, step, split: options.split, ...evaluation });
  terminal.print(`run            ${found.id}, step ${step}`);
  terminal.print(
    `judged on      ${formatCount(evaluation.tokens)} tokens in ${formatCount(evaluation.samples)} ${options.split} windows`,
  );
  terminal.print(`loss           ${evaluation.loss.toFixed(4)} nats per token`);
  terminal.print(`perplexity     ${evaluation.perplexity.toFixed(2)}`);
  terminal.print(`accuracy       ${formatPercent(evaluation.accuracy)}`);
  terminal.print(
    `last position  loss ${evaluation.lastLoss.toFixed(4)}, accuracy ${formatPercent(evaluation.lastAccuracy)}`,
  );
}

function withDataDir(config: TrainConfig, dataDir: string | undefined): TrainConfig {
  return dataDir === undefined ? config : { ...config, data: { ...config.data, dataDir } };
}
