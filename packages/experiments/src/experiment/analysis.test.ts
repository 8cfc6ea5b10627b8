import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { AbortedError, ConfigError } from '@statespace/ssd-core';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseConfig } from '../config/parse-config.js';
import { lineFigure } from '../figures/line-figure.js';
import { RunStore } from '../runs/run-store.js';
import { temporaryFolder } from '../testing/tiny-training.js';
import {
  analysisParams,
  breathe,
  figurePath,
  seedList,
  writeRunFigures,
  writeSharedFigure,
} from './analysis.js';

const params = z.strictObject({ ...analysisParams(2), seeds: seedList([0, 1]), out: figurePath() });
const parse = (value: object) => parseConfig(params, value, 'test');

describe('parameters', () => {
  test('have their defaults', () => {
    expect(parse({})).toEqual({ seed: 2, device: 'reference', seeds: [0, 1] });
  });

  test.each([
    [{ device: 'cpu' }, 'one of reference'],
    [{ seeds: [1, 2, 1] }, 'every seed once'],
    [{ seeds: [] }, 'at least 1'],
    [{ out: 'figure.jpg' }, '.png, .svg or .pdf'],
    [{ threads: 2 }, 'threads'],
  ])('refuse %j', (value, message) => {
    expect(() => parse(value)).toThrow(ConfigError);
    expect(() => parse(value)).toThrow(message);
  });
});

describe('figures', () => {
  const spec = lineFigure({ title: 'a', x: { title: 'x' }, y: { title: 'y' }, series: [] });
  const newRun = (root: string) =>
    new RunStore(root).create({
      experiment: 'sample',
      program: 'sample',
      seed: 0,
      config: {},
      environment: {},
    });

  test('lie in the run folder, and are artifacts by their way from there', async () => {
    using folder = temporaryFolder();
    const run = await newRun(folder.path);
    const artifacts = await writeRunFigures(run, { ranks: spec });
    expect(artifacts).toEqual(['figures/ranks.png', 'figures/ranks.svg', 'figures/ranks.pdf']);
    for (const path of artifacts) expect(existsSync(join(run.directory, path)), path).toBe(true);
  });

  test('go under the original name to the folder of all runs, or where they are wanted', async () => {
    using folder = temporaryFolder();
    const run = await newRun(join(folder.path, 'outputs'));
    const shared = await writeSharedFigure(run, spec, undefined, 'exp.png');
    expect(shared).toBe(relative(process.cwd(), join(folder.path, 'outputs/exp.png')));
    expect(readdirSync(join(folder.path, 'outputs')).sort()).toEqual(['exp.png', 'sample']);
    await writeSharedFigure(run, spec, join(folder.path, 'a/b.svg'), 'exp.png');
    expect(readFileSync(join(folder.path, 'a/b.svg'), 'utf8')).toContain('<svg');
    expect(new RunStore(join(folder.path, 'outputs')).list()).toHaveLength(1);
  });
});

test('breathe stops work that was aborted meanwhile', async () => {
  const controller = new AbortController();
  await breathe(controller.signal);
  setImmediate(() => controller.abort(new Error('interrupted')));
  await breathe(controller.signal).catch(() => undefined);
  await expect(breathe(controller.signal)).rejects.toThrow(AbortedError);
});
