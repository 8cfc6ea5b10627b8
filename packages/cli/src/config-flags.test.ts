import { figurePath, seedList, trainConfigSchema } from '@statespace/experiments';
import { ConfigError } from '@statespace/ssd-core';
import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { addConfigFlags } from './config-flags.js';
import { addFolderOption, addRunOptions } from './run-options.js';

const params = trainConfigSchema.extend({
  seqLens: seedList([15, 30]).meta({ flag: '--T-values' }),
  out: figurePath().meta({ flag: '--out' }),
});

function layerOf(...args: string[]): object {
  const command = new Command('run').exitOverride().configureOutput({ writeErr: () => {} });
  const layer = addConfigFlags(command, params);
  command.parse(args, { from: 'user' });
  return layer;
}

describe('flags of a schema', () => {
  test.each([
    ['--T-values 15 30', { seqLens: [15, 30] }],
    ['--T-values 15,30 60', { seqLens: [15, 30, 60] }],
    ['--seqLens 1 2..4', { seqLens: [1, 2, 3, 4] }],
    ['--T-values=8', { seqLens: [8] }],
    ['--optimizer.betas 0.5 -0.8 --lr -1', { optimizer: { betas: [0.5, -0.8], lr: -1 } }],
    ['--T-values 1 --T-values 2', { seqLens: [1, 2] }],
    // Of two spellings the later wins.
    ['--seqLens 1 2 --T-values 3', { seqLens: [3] }],
    ['--model.tieEmbeddings', { model: { tieEmbeddings: true } }],
    ['--model.tieEmbeddings --lr 1', { model: { tieEmbeddings: true }, optimizer: { lr: 1 } }],
    ['--model.tieEmbeddings false', { model: { tieEmbeddings: false } }],
    ['--out figure.png', { out: 'figure.png' }],
  ])('%s', (line, layer) => {
    expect(layerOf(...line.split(' '))).toEqual(layer);
  });

  test.each([
    '--T-values 1.5',
    '--optimizer.betas 0.5 x',
    '--model.tieEmbeddings maybe',
    '--lr one',
    '--T-values 5..1',
  ])('%s is refused', (line) => {
    expect(() => layerOf(...line.split(' '))).toThrow(ConfigError);
  });

  test('a list needs an item', () => {
    expect(() => layerOf('--T-values')).toThrow('argument missing');
  });
});

describe('the folder of all runs', () => {
  const parse = (add: (command: Command) => Command, ...args: string[]): string =>
    add(new Command('run').exitOverride()).parse(args, { from: 'user' }).opts().outDir;

  test('has two names, and a default', () => {
    expect(parse(addRunOptions)).toBe('outputs');
    expect(parse(addRunOptions, '--out-dir', 'a')).toBe('a');
    expect(parse(addFolderOption, '--out', 'b')).toBe('b');
  });

  test('leaves --out to experiments that draw a figure there', () => {
    const add = (command: Command): Command => {
      addRunOptions(command, params);
      addConfigFlags(command, params);
      return command;
    };
    expect(parse(add, '--out', 'figure.png')).toBe('outputs');
    expect(parse(add, '--out', 'figure.png', '--out-dir', 'b')).toBe('b');
  });
});
