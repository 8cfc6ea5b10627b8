import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { captureCli } from '../testing/captured-cli.js';

let folder: string;
let logPath: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'statespace-plot-'));
  logPath = join(folder, 'logs', 'log.jsonl');
  mkdirSync(join(folder, 'logs'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const write = (rows: readonly object[]) =>
  writeFileSync(logPath, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));

const training = (model: string, seed: number, loss: number) => ({
  ...{ model, dataset: 'wikitext2', seed, flags: { epochs: 2, init: 'scaled', d_model: 8 }, parameters: 10 },
  ...{ untrained_val_loss: 9, train_loss: [8, 7], val_loss: [8, loss], val_acc: [0, 0.1] },
  ...{ best_epoch: 2, best_val_loss: loss, best_val_acc: 0.1, seconds: 1, ts: '2026-01-01T00:00:00Z' },
});

const bands = (...args: string[]) => captureCli('plot', 'variance-bands', '--log-path', logPath, ...args);

describe('plot variance-bands', () => {
  test('draws each format beside the log, and the numbers as JSON', async () => {
    write([0, 1, 2].flatMap((seed) => [training('a', seed, 7 + seed), training('b', seed, 6 + seed)]));
    const { code, stdout } = await bands('--models', 'b', 'a', '--require-all-models');
    expect(stdout).toMatch(/model +b, seeds 0, 1, 2\nmodel +a, seeds 0, 1, 2/);
    expect(code).toBe(0);
    for (const ending of ['svg', 'png', 'pdf', 'vl.json', 'json'])
      expect(existsSync(join(folder, 'logs', `wikitext2_val_loss_bands.${ending}`)), ending).toBe(true);
    const summary = JSON.parse(readFileSync(join(folder, 'logs', 'wikitext2_val_loss_bands.json'), 'utf8'));
    expect(summary.bands[0]).toEqual({
      model: 'b',
      seeds: [0, 1, 2],
      epochs: [
        { epoch: 1, mean: 8, std: 0 },
        { epoch: 2, mean: 7, std: 1 },
      ],
    });
    expect(summary.differences[0].loss).toMatchObject({ mean: 1, count: 3 });
  });

  test('takes another folder and metric, and answers in JSON', async () => {
    write([training('a', 0, 7)]);
    const out = join(folder, 'figures');
    const { code, stdout } = await bands('--metric', 'val_acc', '--out-dir', out, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      png: join(out, 'wikitext2_val_acc_bands.png'),
      otherFlags: 0,
    });
    expect(existsSync(join(out, 'wikitext2_val_acc_bands.svg'))).toBe(true);
  });

  test.each([
    [['--dataset', 'ptb'], /dataset: expected a training on wikitext2, got ptb/],
    [['--models', 'c'], /models: expected among a, b, got c/],
    [['--require-all-models'], /a seed with a, b, got none/],
    [['--metric', 'loss'], /Allowed choices are train_loss, val_loss, val_acc/],
    [['--log-path', 'absent.jsonl'], /absent\.jsonl/],
  ])('ends with exit code 2 for %j', async (args, message) => {
    write([training('a', 0, 7), training('b', 1, 7)]);
    const { code, stderr } = await bands(...args);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});

describe('plot runs', () => {
  const fit = (run: string, N: number, seed: number) => ({
    ...{
      task: 'synthetic_decays',
      run,
      model: 'mamba_diag_exp',
      N,
      seed,
      flags: { epochs: 2 },
      parameters: 2 * N,
    },
    ...{
      train_mse: [1, 0.1],
      val_mse: [1, 0.1 ** N],
      final_val_mse: 0.1 ** N,
      floor: 0.05,
      seconds: 1,
      ts: '',
    },
  });

  test.each([
    [['--latest_only', '--log_val_curves'], 2],
    [['--latest-only', '--log-val-curves'], 2],
    [['--log-val-curves'], 4],
  ])('%j', async (flags, fits) => {
    write([fit('r1', 1, 0), fit('r1', 2, 0), fit('r2', 1, 1), fit('r2', 2, 1)]);
    const { code, stdout, stderr } = await captureCli('plot', 'runs', '--log-path', logPath, ...flags);
    expect(stdout.match(/^fit /gm)).toHaveLength(fits);
    expect(stderr).toBe(fits === 4 ? '' : 'left out: 2 fits of earlier runs or other flags\n');
    expect(code).toBe(0);
    const spec = readFileSync(join(folder, 'logs', 'synthetic_decays_val_curves.vl.json'), 'utf8');
    expect(spec).toContain('"type": "log"');
    for (const name of ['val_curves', 'final_mse'])
      expect(existsSync(join(folder, 'logs', `synthetic_decays_${name}.pdf`)), name).toBe(true);
  });
});

test('an experiment over seeds takes a list of them in one run', async () => {
  const { stdout } = await captureCli('run', 'wikitext2_comparison', '--help');
  expect(stdout.match(/ --seed /g)).toHaveLength(1);
  const { code, stderr } = await captureCli('run', 'wikitext2-comparison', '--seed', '0..2', '1');
  expect(stderr).toContain('seeds: expected every seed once');
  expect(code).toBe(2);
});
