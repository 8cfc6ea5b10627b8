/** `statespace train`: trains a model from a configuration. */
import { builtinExperiments, trainExperiment } from '@statespace/experiments';
import type { Command } from 'commander';
import { addConfigFlags } from '../config-flags.js';
import { finishRuns } from '../finish-runs.js';
import { addRunOptions, addSchemaOption, printSchema, type RunOptions, startRuns } from '../run-options.js';
import type { Terminal } from '../terminal.js';

const examples = `
Examples:
  $ statespace train --config configs/moby-dick.yaml
  $ statespace train --config configs/wikitext2-mamba.yaml --data-dir ./wikitext-2
  $ statespace train --data.name moby-dick --d-model 128 --steps 2000 --lr 3e-3
  $ statespace train --config configs/tiny.yaml --seed 0..4 --json
  $ statespace train --resume latest`;

export function addTrainCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('train')
    .description('train a model from a configuration file, flags, or both')
    .addHelpText('after', examples);
  addSchemaOption(addRunOptions(command));
  const layer = addConfigFlags(command, trainExperiment.params);
  command.action(async (options: RunOptions) => {
    if (printSchema(terminal, trainExperiment, options)) return;
    const outcomes = await startRuns(
      terminal,
      (name) => (name === undefined ? trainExperiment : builtinExperiments.get(name)),
      layer,
      options,
    );
    finishRuns(terminal, outcomes, options);
  });
}
