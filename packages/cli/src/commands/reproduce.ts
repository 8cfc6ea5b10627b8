/** `statespace reproduce <study>`: a paper's experiments with their figures, and a report. */
import { reproduceStudy, type Study, studies } from '@statespace/experiments';
import { ArgumentError } from '@statespace/ssd-core';
import type { Command } from 'commander';
import { exitCode } from '../exit-codes.js';
import { programName, relativePath } from '../finish-runs.js';
import { interruptible } from '../interrupt.js';
import { addFolderOption } from '../run-options.js';
import { StudyLines } from '../study-lines.js';
import type { Terminal } from '../terminal.js';

interface ReproduceOptions {
  readonly fast?: boolean;
  readonly checks?: boolean;
  readonly outDir: string;
}

const examples = `
Examples:
  $ statespace reproduce ssd-duality --fast     quick versions of all experiments, under a minute
  $ statespace reproduce ssd-duality
  $ statespace reproduce ssd-duality --json > report.json

Writes report.html, which opens from the disk and holds every figure and check, and a run folder for each experiment.
Exit code 1 when an experiment fails.`;

export function addReproduceCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('reproduce <study>')
    .description(
      `run all experiments of a paper and write a report (${studies.map(({ name }) => name).join(', ')})`,
    )
    .option('--fast', 'smaller versions with the same claims')
    .option('--checks', 'list every check and what was found')
    .addHelpText('after', examples);
  addFolderOption(command).action(async (name: string, options: ReproduceOptions) => {
    const { passed, json } = await reproduce(terminal, findStudy(name), options);
    terminal.printJson(json);
    process.exitCode = passed ? exitCode.ok : exitCode.failed;
  });
}

/** Runs a study and tells of each experiment as it ends, and of the report. */
export async function reproduce(
  terminal: Terminal,
  study: Study,
  options: ReproduceOptions,
): Promise<{ readonly passed: boolean; readonly json: object }> {
  const { fast = false, outDir } = options;
  const lines = new StudyLines(terminal, study.experiments, options);
  const program = programName();
  const command = `${program} reproduce ${study.name}${fast ? ' --fast' : ''}`;
  const { passed, report, data } = await interruptible(terminal, async (signal) => {
    const steps = reproduceStudy(study, {
      ...{ outDir, fast, command, program, signal },
      onBegin: (experiment) => lines.begin(experiment),
    });
    for (;;) {
      const next = await steps.next();
      if (next.done === true) return next.value;
      lines.end(next.value);
    }
  });
  lines.close();
  terminal.print(`report: ${relativePath(report)}`);
  return { passed, json: { ...data, passed, report } };
}

function findStudy(name: string): Study {
  const study = studies.find((candidate) => candidate.name === name);
  if (study !== undefined) return study;
  const wanted = studies.map((candidate) => candidate.name).join(' or ');
  throw new ArgumentError({ op: 'reproduce', argument: 'study', wanted, got: `'${name}'` });
}
