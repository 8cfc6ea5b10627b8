import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../testing/tiny-training.js';
import { companions } from './companions.js';

const text = async (outDir: string) =>
  (await companions(outDir, 'statespace')).map((section) => section.text);

function write(outDir: string, folder: string, file: string, rows: readonly object[]): void {
  mkdirSync(join(outDir, folder));
  writeFileSync(join(outDir, folder, file), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

const comparison = (model: string, seed: number, loss: number) => ({
  ...{ model, dataset: 'wikitext2', seed, parameters: 1_345_472, untrained_val_loss: 10, seconds: 9, ts: '' },
  flags: { seq_len: 128, d_model: 64, n_state: 16, n_layers: 2, init: 'scaled' },
  ...{ train_loss: [9, 8], val_loss: [8, loss], val_acc: [0.05, 0.1], best_epoch: 2 },
  ...{ best_val_loss: loss, best_val_acc: 0.1 },
});

test('where nothing was trained, the commands that do it', async () => {
  using folder = temporaryFolder();
  const [wikitext2, series] = await text(folder.path);
  expect(wikitext2).toContain('<pre>statespace run wikitext2-comparison --data-dir ./wikitext-2</pre>');
  expect(series).toContain('<pre>statespace run exp-synthetic-ndecay</pre>');
});

test('the comparison: means with intervals beside the numbers of the paper, the paired difference, the bands', async () => {
  using folder = temporaryFolder();
  const rows = [0, 1, 2].flatMap((seed) => [
    comparison('mamba_simple', seed, 7 + seed / 10),
    comparison('mamba_SSD_diag_exp', seed, 6.5 + seed / 10),
  ]);
  write(folder.path, 'wikitext2_comparison', 'train_runs.jsonl', rows);
  const [section] = await text(folder.path);
  // Student's t with two degrees of freedom: 4.303 * 0.1 / sqrt(3).
  expect(section).toContain('7.100 ± 0.248');
  expect(section).toContain('<td class="number">10.5</td>');
  expect(section).toContain('-0.500 ± 0.000');
  expect(section).toContain('<svg ');
});

test('the time series: errors, floors and the decays that were found', async () => {
  using folder = temporaryFolder();
  const fit = (N: number, error: number) => ({
    ...{ task: 'synthetic_decays', run: 'r1', model: 'mamba_diag_exp', N, seed: 42, parameters: 2 * N },
    flags: { lambdas: [0.9, 0.5], coeffs: [1, 0.7], noise_std: 1e-4, epochs: 2 },
    ...{
      train_mse: [1, error],
      val_mse: [1, error],
      final_val_mse: error,
      floor: error / 2,
      seconds: 1,
      ts: '',
    },
    decays: N === 1 ? [0.858] : [0.9, 0.5],
    gains: N === 1 ? [1.48] : [1, 0.7],
  });
  write(folder.path, 'time_series_experiments', 'ts_runs.jsonl', [fit(1, 0.1302), fit(2, 1e-8)]);
  const [, section] = await text(folder.path);
  expect(section).toContain('<td class="number">0.1302</td>');
  expect(section).toContain('<td class="number">1.00e-8</td>');
  expect(section).toContain('0.9, 0.5');
  expect(section).toContain('<svg ');
});

test('a damaged log is told in its place', async () => {
  using folder = temporaryFolder();
  write(folder.path, 'wikitext2_comparison', 'train_runs.jsonl', [{ model: '<b>' }]);
  const [section] = await text(folder.path);
  expect(section).toContain('The log cannot be read');
  expect(section).toContain('train_runs.jsonl:1');
});
