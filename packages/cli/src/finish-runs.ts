/** What is told when runs have ended: results, statistics over seeds, how to go on. */
import { join, relative } from 'node:path';
import { type Check, type RunOutcome, summarize } from '@statespace/experiments';
import { exitCode } from './exit-codes.js';
import { formatCount, formatTable, labelWidth } from './number-format.js';
import type { RunOptions } from './run-options.js';
import type { Terminal } from './terminal.js';

/** Prints the outcomes, as JSON or for people, and sets the exit code. */
export function finishRuns(
  terminal: Terminal,
  outcomes: readonly RunOutcome[],
  options: Pick<RunOptions, 'outDir'>,
): void {
  terminal.printJson(tellRuns(terminal, outcomes, options));
}

/** Prints the outcomes for people and sets the exit code; the same as JSON is returned. */
export function tellRuns(
  terminal: Terminal,
  outcomes: readonly RunOutcome[],
  { outDir }: Pick<RunOptions, 'outDir'>,
): object {
  const statistics = outcomes.length > 1 ? summarize(outcomes.flatMap(numbersOf)) : undefined;
  for (const outcome of outcomes) printOutcome(terminal, outcome);
  if (statistics !== undefined) printStatistics(terminal, statistics);
  const last = outcomes.at(-1);
  if (last?.status === 'interrupted') {
    terminal.note(`Interrupted after step ${last.step}; a checkpoint was saved. Go on with:`);
    terminal.note(`  ${resumeCommand(last.run.id, outDir)}`);
    process.exitCode = exitCode.interrupted;
  } else {
    const failed = outcomes.some((outcome) => outcome.status === 'completed' && !outcome.result.passed);
    process.exitCode = failed ? exitCode.failed : exitCode.ok;
  }
  return { runs: outcomes.map(outcomeJson), ...(statistics === undefined ? {} : { statistics }) };
}

/** The command that goes on with a run, as it was called here. */
export function resumeCommand(runId: string, outDir: string): string {
  return `${programName()} train --resume ${runId}${folderOption(outDir)}`;
}

/** The option that names the folder of all runs, where it is not the usual one. */
export function folderOption(outDir: string): string {
  if (outDir === 'outputs') return '';
  return ` --out-dir ${/^[\w./-]+$/.test(outDir) ? outDir : JSON.stringify(outDir)}`;
}

/** How this command was called: through npm in the repository, or by its own name. */
export function programName(): string {
  return process.env.npm_lifecycle_event === 'start' ? 'npm start --' : 'statespace';
}

function outcomeJson(outcome: RunOutcome): object {
  const { run, status } = outcome;
  const about = { id: run.id, directory: run.directory, status };
  if (outcome.status === 'interrupted')
    return { ...about, step: outcome.step, checkpoint: outcome.checkpoint };
  return { ...about, result: outcome.result };
}

function printOutcome(terminal: Terminal, outcome: RunOutcome): void {
  if (outcome.status !== 'completed') return;
  const { run, result } = outcome;
  terminal.print();
  // What was trained has been told when it ended; here come the experiment's own findings.
  const { training: _training, ...own } = result.metadata;
  const findings = Object.entries(flatNumbers(own)).map(
    ([name, value]) => [name, formatNumber(value)] as const,
  );
  const checks = result.details.map(
    (check) =>
      [check.passed ? 'passed' : check.advisory === true ? 'missed' : 'FAILED', checkText(check)] as const,
  );
  // Of the formats of a figure in the run folder one is enough; others were asked for by path.
  const figures = result.artifacts.filter((path) => path.endsWith('.png') || path.startsWith('..'));
  const files = figures.map((path) => ['figure', relativePath(join(run.directory, path))] as const);
  const rows = [...findings, ...checks, ...files, ['run folder', relativePath(run.directory)] as const];
  for (const [name, text] of rows) terminal.print(`${name.padEnd(labelWidth)} ${text}`);
}

function checkText({ claim, found }: Check): string {
  return `${claim}: ${found}`;
}

function formatNumber(value: number): string {
  return Math.abs(value) >= 1000 ? formatCount(value) : String(Number(value.toPrecision(5)));
}

function flatNumbers(values: object, prefix = ''): Record<string, number> {
  const flat: Record<string, number> = {};
  for (const [key, value] of Object.entries(values)) {
    const name = prefix === '' ? key : `${prefix}.${key}`;
    if (typeof value === 'number') flat[name] = value;
    else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      Object.assign(flat, flatNumbers(value, name));
    }
  }
  return flat;
}

function numbersOf(outcome: RunOutcome): Record<string, number>[] {
  return outcome.status === 'completed' ? [flatNumbers(outcome.result.metadata)] : [];
}

function printStatistics(terminal: Terminal, statistics: ReturnType<typeof summarize>): void {
  terminal.print();
  terminal.print('over the seeds');
  const rows = Object.entries(statistics).map(([name, { count, mean, std, ci95 }]) => [
    name,
    `mean ${mean.toPrecision(5)}`,
    `std ${std.toPrecision(3)}`,
    `95% CI ±${ci95.toPrecision(3)}`,
    `n ${count}`,
  ]);
  for (const line of formatTable([...rows])) terminal.print(line);
}

/** A path as short as it can be said from here. */
export function relativePath(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}
