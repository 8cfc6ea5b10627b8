/** The command line as a whole: commands, global options, errors to exit codes. */
import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { addCheckLogsCommand } from './commands/check-logs.js';
import { addDataCommand } from './commands/data.js';
import { addDemoCommand } from './commands/demo.js';
import { addDoctorCommand } from './commands/doctor.js';
import { addEvalCommand } from './commands/eval.js';
import { addGenerateCommand } from './commands/generate.js';
import { addGridCommand } from './commands/grid.js';
import { addPlotCommand } from './commands/plot.js';
import { addReproduceCommand } from './commands/reproduce.js';
import { addRunCommand } from './commands/run.js';
import { addRunsCommand } from './commands/runs.js';
import { addTrainCommand } from './commands/train.js';
import { addVerifyCommand } from './commands/verify.js';
import { exitCodeOf } from './exit-codes.js';
import { Terminal, type TerminalOptions } from './terminal.js';

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

const help = `
Without a command, statespace trains a small Mamba on Moby Dick, shows the curve, and checks a paper's claims (statespace
demo).

Examples:
  $ statespace                                          see it work, under two minutes
  $ statespace train --config configs/moby-dick.yaml
  $ statespace run wikitext2 --data-dir ./wikitext-2 --seed 0..9
  $ statespace verify --fast                            check a paper's claims in seconds
  $ statespace generate --prompt "Call me "
  $ statespace doctor

Exit codes: 0 ok, 1 a check failed or the work did, 2 bad input, 130 interrupted.`;

/** Builds the commands; they write to `terminal`. */
export function createProgram(terminal: Terminal, options: TerminalOptions): Command {
  const program = new Command('statespace')
    .description('State-space sequence models in Node.js: train, evaluate, generate, reproduce papers')
    .version(version)
    .usage('<command> [options]')
    .addHelpText('after', help)
    .configureHelp({ sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => options.stdout.write(text),
      writeErr: (text) => options.stderr.write(text),
    })
    .exitOverride();
  addDemoCommand(program, terminal);
  addTrainCommand(program, terminal);
  addRunCommand(program, terminal);
  addVerifyCommand(program, terminal);
  addReproduceCommand(program, terminal);
  addGridCommand(program, terminal);
  addCheckLogsCommand(program, terminal);
  addEvalCommand(program, terminal);
  addGenerateCommand(program, terminal);
  addRunsCommand(program, terminal);
  addPlotCommand(program, terminal);
  addDataCommand(program, terminal);
  addDoctorCommand(program, terminal);
  addGlobalOptions(program, terminal);
  return program;
}

/** `--json` and `--verbose` stand on every command, so that they may come last. */
function addGlobalOptions(command: Command, terminal: Terminal): void {
  for (const child of command.commands) {
    child.exitOverride().copyInheritedSettings(command);
    child
      .option('--json', 'print the result as one JSON document on stdout; everything else goes to stderr')
      .option('--verbose', 'print the stack of an error')
      .on('option:json', () => {
        terminal.json = true;
      })
      .on('option:verbose', () => {
        terminal.verbose = true;
      });
    addGlobalOptions(child, terminal);
  }
}

/**
 * Runs the command line `args` (without node and script).
 * @returns the exit code
 */
export async function runCli(args: readonly string[], options: TerminalOptions): Promise<number> {
  const terminal = new Terminal(options);
  terminal.verbose = process.env.DEBUG !== undefined && process.env.DEBUG !== '';
  const program = createProgram(terminal, options);
  process.exitCode = undefined;
  try {
    await program.parseAsync(withDefaultCommand(args), { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (!(error instanceof CommanderError)) reportError(terminal, error);
    return exitCodeOf(error);
  } finally {
    terminal.end();
  }
}

const standsAlone = new Set(['-h', '--help', '-V', '--version']);

/** `statespace` and `statespace --json` are the demo. */
function withDefaultCommand(args: readonly string[]): string[] {
  const [first] = args;
  const named = first !== undefined && (!first.startsWith('-') || standsAlone.has(first));
  return named ? [...args] : ['demo', ...args];
}

function reportError(terminal: Terminal, error: unknown): void {
  const { message: text, stack } = error instanceof Error ? error : new Error(String(error));
  const message = isTooLarge(error)
    ? `an array does not fit into memory (${text}): make the model, the batch or the sequences smaller`
    : text;
  const code = (error as { code?: unknown } | null)?.code;
  terminal.note(code === 'ERR_ABORTED' ? 'Interrupted.' : `error: ${message}`);
  if (terminal.verbose && stack !== undefined) terminal.note(stack);
  terminal.printJson({ error: { message, ...(typeof code === 'string' ? { code } : {}) } });
}

/** What JavaScript throws for an array that it cannot make. */
function isTooLarge(error: unknown): boolean {
  return error instanceof RangeError && /array length|array buffer allocation/i.test(error.message);
}
