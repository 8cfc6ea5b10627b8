/** `statespace verify`: every experiment of the SSD-duality study, once. */
import { join } from 'node:path';
import {
  type Experiment,
  entryJson,
  RunStore,
  runStudy,
  type StudyEntry,
  selectExperiments,
  ssdDuality,
} from '@statespace/experiments';
import type { Command } from 'commander';
import { exitCode } from '../exit-codes.js';
import { relativePath } from '../finish-runs.js';
import { interruptible } from '../interrupt.js';
import { addFolderOption } from '../run-options.js';
import { StudyLines } from '../study-lines.js';
import type { Terminal } from '../terminal.js';

interface VerifyOptions {
  readonly only?: readonly string[];
  readonly fast?: boolean;
  readonly checks?: boolean;
  readonly outDir: string;
}

const examples = `
Examples:
  $ statespace verify
  $ statespace verify --fast
  $ statespace verify --only exp2 exp3 --checks
  $ statespace verify --fast --json > verify.json

One line for each experiment: name, checks that hold, what it claims, PASS or FAIL, seconds. A check that fails is
listed below. Exit code 1 when one does.`;

export function addVerifyCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('verify')
    .description('run every experiment of the SSD-duality study once and check its claims')
    .option('--only <names...>', 'these experiments alone, by name or alias')
    .option('--fast', 'smaller versions with the same claims')
    .option('--checks', 'list every check and what was found')
    .addHelpText('after', examples);
  addFolderOption(command).action((options: VerifyOptions) => verify(terminal, options));
}

async function verify(terminal: Terminal, options: VerifyOptions): Promise<void> {
  const { only, fast = false, outDir } = options;
  const experiments = selectExperiments(ssdDuality, splitNames(only));
  const store = new RunStore(join(outDir, ssdDuality.name, 'verify'));
  const lines = new StudyLines(terminal, experiments, options);
  const entries: StudyEntry[] = [];
  await interruptible(terminal, async (signal) => {
    const onBegin = (experiment: Experiment): void => lines.begin(experiment);
    for await (const entry of runStudy(experiments, { store, fast, signal, onBegin })) {
      entries.push(entry);
      lines.end(entry);
    }
  });
  lines.close();
  terminal.note(`run folders: ${relativePath(store.root)}`);
  const passed = entries.every(({ status }) => status === 'passed');
  terminal.printJson({ passed, fast, experiments: entries.map(entryJson) });
  process.exitCode = passed ? exitCode.ok : exitCode.failed;
}

/** Names may also be separated by commas. */
export function splitNames(texts: readonly string[] = []): string[] {
  return texts.flatMap((text) => text.split(',')).filter((name) => name !== '');
}
