/** `statespace demo`, and `statespace` alone: a Mamba learns Moby Dick, and a paper's claims are checked. */
import {
  builtinExperiments,
  type Experiment,
  openTrainedModel,
  type Run,
  type RunOutcome,
  ssdDuality,
  tinyPreset,
} from '@statespace/experiments';
import { generate } from '@statespace/models';
import { getBackendInfo } from '@statespace/tensor';
import type { Command } from 'commander';
import { exitCode } from '../exit-codes.js';
import { programName, tellRuns } from '../finish-runs.js';
import { interruptible } from '../interrupt.js';
import { addRunOptions, type RunOptions, startRuns } from '../run-options.js';
import type { Terminal } from '../terminal.js';
import { TokenText } from '../token-text.js';
import { reproduce } from './reproduce.js';

const sampleTokens = 280;
const samplePrompt = 'The whale ';
/** Longer than the tiny configuration, to learn something; still seconds. */
const referenceTrainer = { steps: 400, evalEvery: 100, checkpointEvery: 100 };

const examples = `
Examples:
  $ statespace
  $ statespace demo --seed 3`;

export function addDemoCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('demo')
    .description("train a small Mamba on Moby Dick, then check a paper's claims (the default command)")
    .addHelpText('after', examples);
  addRunOptions(command).action((options: RunOptions) => runDemo(terminal, options));
}

async function runDemo(terminal: Terminal, options: RunOptions): Promise<void> {
  const experiment = demoExperiment(terminal);
  terminal.note('Training a Mamba on Moby Dick, character by character.');
  const outcomes = await startRuns(terminal, () => experiment, {}, options);
  for (const outcome of outcomes) if (outcome.status === 'completed') await showResult(terminal, outcome);
  const told = tellRuns(terminal, outcomes, options);
  const trained = outcomes.at(-1)?.status === 'completed';
  const study = trained ? await showStudy(terminal, options) : undefined;
  terminal.printJson({ ...told, ...(study === undefined ? {} : { study: study.json }) });
  if (study === undefined) return;
  if (!study.passed) process.exitCode = exitCode.failed;
  suggestNext(terminal);
}

/** The quick version of a paper's experiments. */
function showStudy(terminal: Terminal, { outDir }: RunOptions): ReturnType<typeof reproduce> {
  terminal.print();
  terminal.print(`${ssdDuality.title}: its claims, checked.`);
  return reproduce(terminal, ssdDuality, { fast: true, outDir });
}

/** The whole experiment where native kernels are there, a much smaller one on the reference. */
function demoExperiment(terminal: Terminal): Experiment {
  if (getBackendInfo().backend !== 'reference') return builtinExperiments.get('moby-dick');
  terminal.note(
    'Native kernels are not in use (statespace doctor says why): a tiny model on the TypeScript reference.',
  );
  const trainer = { ...tinyPreset.trainer, ...referenceTrainer };
  return { ...builtinExperiments.get('train'), preset: { ...tinyPreset, trainer } };
}

async function showResult(terminal: Terminal, { run }: RunOutcome & { status: 'completed' }): Promise<void> {
  const text = await interruptible(terminal, (signal) => sample(run, signal));
  terminal.print();
  terminal.print('What it writes now:');
  for (const line of text.split('\n')) terminal.print(`  ${line}`.trimEnd());
}

async function sample(run: Run, signal: AbortSignal): Promise<string> {
  const { model, vocabulary } = await openTrainedModel(run);
  if (vocabulary === undefined) return '';
  const prompt = vocabulary.encode(samplePrompt);
  const text = new TokenText(vocabulary, prompt);
  const options = { maxTokens: sampleTokens, temperature: 0.7, seed: 0, signal };
  for await (const id of generate(model, prompt, options)) text.add(id);
  return text.whole;
}

function suggestNext(terminal: Terminal): void {
  const name = programName();
  terminal.print();
  terminal.print('Try next:');
  terminal.print(`  ${name} generate --prompt "Call me " --temperature 0.6`);
  terminal.print(`  ${name} train --config configs/moby-dick.yaml --d-model 192 --steps 3000`);
  terminal.print(`  ${name} reproduce ssd-duality`);
  terminal.print(`  ${name} run --help`);
}
