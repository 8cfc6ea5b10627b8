import { ConfigError } from '@statespace/ssd-core';
import { describe, expect, test } from 'vitest';
import { checkTrainConfig } from './check-train-config.js';
import { parseConfig } from './parse-config.js';
import { trainConfigSchema } from './train-config.js';
import { parseYaml } from './yaml-file.js';

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error('nothing was refused');
}

const parse = (value: unknown) => parseConfig(trainConfigSchema, value, 'test.yaml');

describe('parseConfig', () => {
  test('fills defaults in at every depth', () => {
    const config = parse({ trainer: { steps: 3 } });
    expect(config.model).toMatchObject({ architecture: 'mamba', dModel: 64, numLayers: 2 });
    expect(config.optimizer.betas).toEqual([0.9, 0.999]);
    expect(config.trainer.epochs).toBeUndefined();
  });

  test.each([
    [{ model: { dModle: 3 } }, "model.dModle: expected a known key; did you mean 'dModel'?"],
    [{ sede: 1 }, "did you mean 'seed'"],
    [{ trainer: { batch: 1 } }, "did you mean 'batchSize'"],
    [{ model: { zzz: 1 } }, 'one of architecture, dModel'],
  ])('%j names the unknown key and the near one', (value, text) => {
    expect(messageOf(() => parse(value))).toContain(text);
  });

  test.each([
    [{ model: { dModel: '64' } }, 'test.yaml: model.dModel: expected a number, got "64"'],
    [{ model: { dModel: 1.5 } }, 'model.dModel: expected an integer, got 1.5'],
    [{ optimizer: { betas: [0.9, 1] } }, 'optimizer.betas[1]: expected less than 1, got 1'],
    [{ optimizer: { lr: 0 } }, 'optimizer.lr: expected more than 0, got 0'],
    [
      { data: { name: 'mobydick' } },
      'data.name: expected one of moby-dick, wikitext2, parity, got "mobydick"',
    ],
    [{ model: [] }, 'model: expected a mapping of keys to values, got []'],
    [{ device: 'gpu' }, 'device: expected auto, reference, cpu, cuda or cuda:<index>, got "gpu"'],
    [3, 'the configuration: expected a mapping of keys to values, got 3'],
  ])('%j is refused by path', (value, text) => {
    expect(messageOf(() => parse(value))).toContain(text);
  });

  test('tells of every mistake at once', () => {
    const message = messageOf(() => parse({ seed: -1, model: { dModel: 0, x: 1 } }));
    expect(message).toContain('seed');
    expect(message).toContain('model.dModel');
    expect(message).toContain('model.x');
  });
});

describe('checkTrainConfig', () => {
  const check = (value: object) => checkTrainConfig(parse(value));
  test.each([
    [
      { trainer: { steps: 1 }, model: { headDim: 16 } },
      "model.headDim: expected model.architecture 'mamba2'",
    ],
    [
      { trainer: { steps: 1 }, model: { architecture: 'mamba2', decay: 'scalar' } },
      "model.decay: expected model.architecture 'mamba' or 'mamba-diag', got 'mamba2'",
    ],
    [{ trainer: { steps: 1 }, data: { dataDir: 'x' } }, "data.dataDir: expected data.name 'wikitext2'"],
    [{ trainer: { steps: 1 }, data: { maxVocab: 9 } }, "data.maxVocab: expected data.level 'word'"],
    [{ trainer: { steps: 1, epochs: 1 } }, 'either trainer.epochs or trainer.steps'],
    [{}, 'trainer.epochs or trainer.steps, got neither'],
    [{ trainer: { steps: 1, batchSize: 8, accumulate: 3 } }, 'a divisor of trainer.batchSize 8'],
  ])('%j would be ignored or contradict itself', (value, text) => {
    expect(messageOf(() => check(value))).toContain(text);
  });
});

describe('parseYaml', () => {
  test('names line and column of a syntax error', () => {
    expect(messageOf(() => parseYaml('model:\n  dModel: [1, 2\nseed: 1\n', 'bad.yaml'))).toMatch(
      /bad\.yaml: line \d+, column \d+/,
    );
  });
  test('refuses a repeated key and a list', () => {
    expect(messageOf(() => parseYaml('seed: 1\nseed: 2\n', 'x'))).toContain('line 2');
    expect(messageOf(() => parseYaml('- 1\n', 'x'))).toContain('a mapping');
  });
  test('an empty file is an empty configuration', () => {
    expect(parseYaml('# nothing\n', 'x')).toEqual({});
  });
});
