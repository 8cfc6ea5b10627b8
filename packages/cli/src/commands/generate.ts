/** `statespace generate`: lets a trained model write on. */
import { isTrainedOnText, openTrainedModel, RunStore } from '@statespace/experiments';
import { generate } from '@statespace/models';
import { ArgumentError } from '@statespace/ssd-core';
import type { Command } from 'commander';
import { interruptible } from '../interrupt.js';
import { parseInteger, parseNumber } from '../parse-option.js';
import { addFolderOption } from '../run-options.js';
import type { Terminal } from '../terminal.js';
import { TokenText } from '../token-text.js';

interface GenerateOptions {
  readonly run: string;
  readonly checkpoint: string;
  readonly prompt: string;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly seed: number;
  readonly device?: string;
  readonly threads?: number;
  readonly outDir: string;
}

const examples = `
Examples:
  $ statespace generate --prompt "Call me "
  $ statespace generate --run latest --prompt "The whale" --max-tokens 400 --temperature 0.7 --seed 3
  $ statespace generate --prompt "The sea" --top-k 20 --json`;

export function addGenerateCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('generate')
    .description('write on from a prompt with a trained model')
    .option('--run <run>', 'id or folder of the run', 'latest')
    .option('--checkpoint <which>', 'best, latest or a file', 'best')
    .option('--prompt <text>', 'text to go on from', 'The ')
    .option('--max-tokens <n>', 'tokens to write', parseInteger('--max-tokens', 1), 300)
    .option(
      '--temperature <x>',
      'below 1 plainer, above 1 wilder, 0 always the likeliest',
      parseNumber('--temperature', 0),
      0.8,
    )
    .option('--top-k <n>', 'draw from the n likeliest tokens', parseInteger('--top-k', 1))
    .option(
      '--top-p <x>',
      'draw from the likeliest tokens that together reach this probability',
      parseNumber('--top-p', 0, 1),
    )
    .option('--seed <n>', 'seed of the draws', parseInteger('--seed', 0), 0)
    .option('--device <name>', 'auto, reference, cpu, cuda or cuda:<index>')
    .option('--threads <n>', 'CPU threads', parseInteger('--threads', 1));
  addFolderOption(command)
    .addHelpText('after', examples)
    .action((options: GenerateOptions) =>
      interruptible(terminal, (signal) => run(terminal, options, signal)),
    );
}

async function run(terminal: Terminal, options: GenerateOptions, signal: AbortSignal): Promise<void> {
  const found = new RunStore(options.outDir).find(options.run, isTrainedOnText);
  const { model, vocabulary, step } = await openTrainedModel(found, options);
  if (vocabulary === undefined) {
    throw new ArgumentError({
      op: 'generate',
      argument: `run '${found.id}'`,
      wanted: 'a model of text',
      got: `one of ${found.experiment}`,
      hint: 'Name another with --run; statespace runs lists them',
    });
  }
  const prompt = vocabulary.encode(options.prompt);
  if (prompt.length === 0) {
    throw new ArgumentError({
      op: 'generate',
      argument: '--prompt',
      wanted: 'at least one token',
      got: 'none',
    });
  }
  const { maxTokens, temperature, topK, topP, seed } = options;
  const text = new TokenText(vocabulary, prompt);
  terminal.write(text.start);
  for await (const id of generate(model, prompt, {
    maxTokens,
    temperature,
    seed,
    signal,
    ...(topK === undefined ? {} : { topK }),
    ...(topP === undefined ? {} : { topP }),
  })) {
    terminal.write(text.add(id));
  }
  terminal.print();
  terminal.printJson({
    run: found.id,
    step,
    prompt: options.prompt,
    text: text.whole,
    tokens: text.generated,
  });
}
