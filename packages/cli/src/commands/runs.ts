/** `statespace runs`: what has been run, and how it stands. */
import { type Run, RunStore } from '@statespace/experiments';
import type { Command } from 'commander';
import { formatTable } from '../number-format.js';
import { addFolderOption } from '../run-options.js';
import type { Terminal } from '../terminal.js';

interface RunsOptions {
  readonly outDir: string;
}

const examples = `
Examples:
  $ statespace runs
  $ statespace runs moby-dick
  $ statespace runs --json`;

export function addRunsCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('runs [experiment]')
    .description('list runs with their state, oldest first');
  addFolderOption(command)
    .addHelpText('after', examples)
    .action((experiment: string | undefined, { outDir }: RunsOptions) => {
      const store = new RunStore(outDir);
      const runs = store.list(experiment);
      terminal.printJson(runs.map(describe));
      if (runs.length === 0)
        terminal.print(`No runs under ${store.root}. Start one with: statespace train --help`);
      else for (const line of formatTable([header, ...runs.map(row)])) terminal.print(line);
    });
}

const header = ['RUN', 'EXPERIMENT', 'STATE', 'STEP', 'HELD-OUT LOSS'] as const;

function row(run: Run): string[] {
  const { id, experiment, status, step, heldOutLoss } = describe(run);
  return [id, experiment, status, step?.toString() ?? '', heldOutLoss?.toFixed(4) ?? ''];
}

function describe(run: Run) {
  const { step, heldOutLoss } = run.progress();
  const { id, experiment, directory, status } = run;
  const { createdAt, error } = run.record;
  return { id, experiment, directory, status, createdAt, step, heldOutLoss, error };
}
