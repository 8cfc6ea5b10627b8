/** `statespace run <experiment>`: runs a paper's experiment. */
import { builtinExperiments, type Experiment, trainExperiment } from '@statespace/experiments';
import { ArgumentError } from '@statespace/ssd-core';
import type { Command } from 'commander';
import { addConfigFlags } from '../config-flags.js';
import { finishRuns } from '../finish-runs.js';
import { addRunOptions, addSchemaOption, printSchema, type RunOptions, startRuns } from '../run-options.js';
import type { Terminal } from '../terminal.js';

const examples = `
Examples:
  $ statespace run --help                 what experiments there are
  $ statespace run parity --help          the parameters of one
  $ statespace run parity --seed 0..4
  $ statespace run wikitext2 --data-dir ./wikitext-2 --seed 0..9
  $ statespace run parity --resume latest`;

export function addRunCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('run')
    .description('run an experiment and check its claims (exit code 1 when one fails)')
    .usage('<experiment> [options]')
    .addHelpText('after', examples);
  for (const experiment of builtinExperiments.list()) {
    if (experiment !== trainExperiment) addExperiment(command, experiment, terminal);
  }
}

function addExperiment(parent: Command, experiment: Experiment, terminal: Terminal): void {
  const command = parent
    .command(experiment.name)
    .summary(experiment.summary)
    .description(`${experiment.summary}\n\nPaper: ${experiment.paper}`);
  command.aliases(experiment.aliases ?? []);
  addSchemaOption(addRunOptions(command, experiment.params));
  const layer = addConfigFlags(command, experiment.params, experiment.preset);
  command.action(async (options: RunOptions) => {
    if (printSchema(terminal, experiment, options)) return;
    const expected = (program: string | undefined): Experiment => {
      if (program === undefined || program === experiment.name) return experiment;
      throw new ArgumentError({
        op: 'resume',
        argument: `run '${options.resume}'`,
        wanted: `a run of '${experiment.name}'`,
        got: `one of '${program}'`,
        hint: `Use: statespace train --resume ${options.resume}`,
      });
    };
    const outcomes = await startRuns(terminal, expected, layer, options);
    finishRuns(terminal, outcomes, options);
  });
}
