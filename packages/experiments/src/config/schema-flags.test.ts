import { ConfigError } from '@statespace/ssd-core';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { getPath, mergeLayers, setPath } from './layers.js';
import { configJsonSchema, parseFlagValue, type SchemaFlag, schemaFlags } from './schema-flags.js';
import { parseSeeds } from './seeds.js';
import { trainConfigSchema } from './train-config.js';

function flag(path: string): SchemaFlag {
  const found = schemaFlags(trainConfigSchema).find((candidate) => candidate.path === path);
  if (found === undefined) throw new Error(`no flag ${path}`);
  return found;
}

describe('schemaFlags', () => {
  test('has a flag for every leaf, with the original spelling beside it', () => {
    expect(flag('model.dModel')).toMatchObject({
      names: ['--model.dModel', '--d-model'],
      type: 'integer',
      defaultValue: 64,
    });
    expect(flag('data.name').choices).toEqual(['moby-dick', 'wikitext2', 'parity']);
    expect(flag('optimizer.betas')).toMatchObject({ type: 'array', itemType: 'number' });
    expect(flag('loss').names).toEqual(['--loss']);
  });

  test('no two leaves share a name', () => {
    const names = schemaFlags(trainConfigSchema).flatMap((one) => one.names);
    expect(new Set(names).size).toBe(names.length);
  });

  test('every leaf is described', () => {
    for (const one of schemaFlags(trainConfigSchema)) expect(one.description, one.path).not.toBe('');
  });

  test('keeps a spelling of its own from .meta({ flag })', () => {
    const schema = z.strictObject({ horizons: z.array(z.int()).meta({ flag: '--T-values' }) });
    expect(schemaFlags(schema)[0]?.names).toEqual(['--horizons', '--T-values']);
  });

  test('may have several spellings', () => {
    const schema = z.strictObject({
      endToEnd: z.boolean().meta({ flag: ['--end-to-end', '--exp4-end-to-end'] }),
    });
    expect(schemaFlags(schema)[0]?.names).toEqual(['--endToEnd', '--end-to-end', '--exp4-end-to-end']);
  });

  test('the JSON Schema refuses unknown keys too', () => {
    expect(configJsonSchema(trainConfigSchema)).toMatchObject({
      type: 'object',
      additionalProperties: false,
    });
  });
});

describe('parseFlagValue', () => {
  test('converts by type', () => {
    expect(parseFlagValue(flag('model.dModel'), '128')).toBe(128);
    expect(parseFlagValue(flag('optimizer.lr'), '1e-3')).toBe(1e-3);
    expect(parseFlagValue(flag('optimizer.betas'), '0.9, 0.95')).toEqual([0.9, 0.95]);
    expect(parseFlagValue(flag('model.tieEmbeddings'), 'false')).toBe(false);
    expect(parseFlagValue(flag('data.dataDir'), '12')).toBe('12');
  });

  const listed = z.strictObject({
    seqLens: z.array(z.int()),
    decays: z.array(z.number()),
    plot: z.boolean(),
  });
  const [seqLens, decays, plot] = schemaFlags(listed) as [SchemaFlag, SchemaFlag, SchemaFlag];

  test.each([
    [
      ['15', '30'],
      [15, 30],
    ],
    ['15,30', [15, 30]],
    [
      ['1', '4..6, 2'],
      [1, 4, 5, 6, 2],
    ],
    ['-3', [-3]],
    ['0..9', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
  ])('a list of whole numbers: %j', (text, values) => {
    expect(parseFlagValue(seqLens, text)).toEqual(values);
  });
  test('a list of numbers', () => {
    expect(parseFlagValue(decays, ['-0.5', '.8,1e-2'])).toEqual([-0.5, 0.8, 0.01]);
    expect(() => parseFlagValue(decays, '0..9')).toThrow('a number');
  });
  test.each(['1.5', '9..0', '1,,2', 'x..3'])('refuses %j for a list of whole numbers', (text) => {
    expect(() => parseFlagValue(seqLens, text)).toThrow(ConfigError);
  });
  test('a flag without a value is set', () => {
    expect(parseFlagValue(plot, [])).toBe(true);
    expect(parseFlagValue(plot, ['false'])).toBe(false);
  });
  test.each(['', 'x', '1.5', 'NaN'])('refuses %j for an integer', (text) => {
    expect(() => parseFlagValue(flag('model.dModel'), text)).toThrow(ConfigError);
  });
});

describe('layers', () => {
  test('a mapping is merged, a list replaced, the arguments left alone', () => {
    const lower = { model: { a: 1, b: [1, 2] }, seed: 1 };
    expect(mergeLayers(lower, { model: { b: [3] } })).toEqual({ model: { a: 1, b: [3] }, seed: 1 });
    expect(lower.model.b).toEqual([1, 2]);
  });
  test('steps above take epochs below away, and the other way round', () => {
    expect(mergeLayers({ trainer: { epochs: 10 } }, { trainer: { steps: 5 } })).toEqual({
      trainer: { steps: 5 },
    });
    expect(mergeLayers({ trainer: { steps: 5 } }, { trainer: { epochs: 1 } })).toEqual({
      trainer: { epochs: 1 },
    });
  });
  test('paths are set and read', () => {
    const object = {};
    setPath(object, 'a.b.c', 1);
    expect(getPath(object, 'a.b.c')).toBe(1);
    expect(getPath(object, 'a.x.c')).toBeUndefined();
  });
});

describe('parseSeeds', () => {
  test.each([
    ['3', [3]],
    ['0..3', [0, 1, 2, 3]],
    ['5,1..2,1', [5, 1, 2]],
  ])('%s', (text, seeds) => {
    expect(parseSeeds(text)).toEqual(seeds);
  });
  test.each(['', 'x', '3..1', '-1', '1.5', '0..99999999', '1,,2'])('refuses %j', (text) => {
    expect(() => parseSeeds(text)).toThrow(ConfigError);
  });
});
