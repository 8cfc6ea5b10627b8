import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomParameters } from '@statespace/models';
import { AbortedError } from '@statespace/ssd-core';
import { Generator, gradcheck, type Tensor, tensor } from '@statespace/tensor';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../config/parse-config.js';
import { schemaFlags } from '../../config/schema-flags.js';
import { runExperiment } from '../../experiment/run-experiment.js';
import { readRowLog } from '../../metrics/row-log.js';
import { RunStore } from '../../runs/run-store.js';
import { temporaryFolder } from '../../testing/tiny-training.js';
import { decayChecks } from './checks.js';
import { expSyntheticNdecay } from './exp-synthetic-ndecay.js';
import { checkDecays, decayParams } from './params.js';
import { plotRuns } from './plot-runs.js';
import { type SeriesRow, seriesRowSchema } from './run-row.js';
import { BlockDecays, LinearDecays } from './series-models.js';
import { seriesData, trainSeries } from './train-series.js';

const parse = (value: object = {}) => parseConfig(decayParams, value, 'test');
const source = (seed = 0) => randomParameters(new Generator(seed), { device: 'reference', dtype: 'f64' });

describe('the parameters', () => {
  test('are the original’s', () => {
    expect(parse()).toMatchObject({
      ...{ models: ['mamba_diag_exp'], nValues: [1, 2], epochs: 60, seed: 42, seqLen: 100 },
      ...{ lambdas: [0.9, 0.5], coeffs: [1, 0.7], noiseStd: 1e-4, lr: 1e-2 },
    });
    const names = schemaFlags(decayParams).flatMap((flag) => flag.names);
    for (const name of '--models --N_values --epochs --seed --T --lambdas --coeffs --noise_std'.split(' '))
      expect(names).toContain(name);
    expect(expSyntheticNdecay.aliases).toContain('exp_synthetic_ndecay');
  });

  test.each([
    [{ lambdas: [0.9], coeffs: [1, 2] }, /coeffs: expected one for each of 1 decays, got 2/],
    [{ lambdas: [0.9, 0.9] }, /lambdas: expected every decay once/],
    [{ coeffs: [1, 0] }, /coeffs: expected no weight of 0/],
    [{ lambdas: [-0.5, 0.5] }, /lambdas\[0\]: expected more than 0/],
    [{ lambdas: [1, 0.5] }, /lambdas\[0\]: expected less than 1/],
    [{ nValues: [0] }, /nValues\[0\]/],
  ])('refuse %j', (value, message) => {
    expect(() => checkDecays(parse(value))).toThrow(message);
  });
});

describe('the models', () => {
  test('the linear one is the sum of its decays', () => {
    const model = new LinearDecays(source(), 2);
    const u = new Generator(1).normal(12);
    const y = model.forward(tensor(u, { shape: [2, 6], device: 'reference' })).toArray();
    for (let row = 0; row < 2; row++) {
      for (let t = 0; t < 6; t++) {
        let wanted = 0;
        for (const { decay, gain } of model.fitted())
          for (let s = 0; s <= t; s++) wanted += gain * decay ** (t - s) * (u[6 * row + s] as number);
        expect(y[6 * row + t]).toBeCloseTo(wanted, 12);
      }
    }
    expect(model.parameterCount).toBe(4);
    const [slow, fast] = model.fitted();
    expect(slow?.decay).toBeGreaterThan(fast?.decay as number);
  });

  test.each([
    ['linear', () => new LinearDecays(source(), 2)],
    ['block', () => new BlockDecays(source(), 2, 3)],
  ])('the %s one has the gradient of finite differences', (_, make) => {
    const model = make();
    const draws = new Generator(2);
    const u = tensor(draws.normal(10), { shape: [2, 5], device: 'reference', requiresGrad: true });
    expect(gradcheck((input) => model.forward(input as Tensor), [u]).maxError).toBeLessThan(1e-7);
    const weights = tensor(draws.normal(10), { shape: [2, 5], device: 'reference' });
    const total = () => model.forward(u).mul(weights).sum();
    for (const parameter of model.parameters()) parameter.grad = undefined;
    total().backward();
    for (const [name, parameter] of model.namedParameters()) {
      const values = parameter.toArray();
      const step = 1e-6;
      const at = (shift: number): number => {
        parameter.copyFrom(Float64Array.from(values, (value, i) => (i === 0 ? value + shift : value)));
        return total().item();
      };
      const slope = (at(step) - at(-step)) / (2 * step);
      at(0);
      expect(parameter.grad?.toArray()[0], name).toBeCloseTo(slope, 6);
    }
  });
});

describe('exp-synthetic-ndecay', () => {
  test('one decay stops at its floor, two are found, and the log and the figures tell', async () => {
    using folder = temporaryFolder();
    const store = new RunStore(folder.path);
    // Half of the study's steps, on a quarter of its data.
    const quick = { seqLen: 50, trainSamples: 512 };
    const outcome = await runExperiment(expSyntheticNdecay, quick, { store });
    if (outcome.status !== 'completed') throw new Error('not completed');
    const { result, run } = outcome;
    expect(result.details.map(({ passed }) => passed)).toEqual([true, true, true]);
    expect(result.artifacts.filter((path) => existsSync(join(run.directory, path)))).toHaveLength(6);
    const logPath = join(folder.path, 'time_series_experiments', 'ts_runs.jsonl');
    const rows = readRowLog(logPath, seriesRowSchema);
    expect(rows.map(({ task, N, val_mse }) => [task, N, val_mse.length])).toEqual([
      ['synthetic_decays', 1, 60],
      ['synthetic_decays', 2, 60],
    ]);
    const again = await runExperiment(expSyntheticNdecay, { ...quick, epochs: 2, nValues: [1] }, { store });
    expect(again).toMatchObject({ status: 'completed' });

    const options = { logPath, outDir: folder.path, task: 'synthetic_decays', logValCurves: true };
    const latest = await plotRuns({ ...options, latestOnly: true });
    expect(latest.rows.map((row) => row.val_mse.length)).toEqual([2]);
    expect(latest.leftOut).toBe(2);
    const spec = readFileSync(latest.curves.spec, 'utf8');
    expect(spec).toContain('"type": "log"');
    const linear = await plotRuns({ ...options, latestOnly: false, logValCurves: false });
    expect(readFileSync(linear.curves.spec, 'utf8')).not.toContain('"type": "log"');
    await expect(plotRuns({ ...options, task: 'sines', latestOnly: true })).rejects.toThrow(
      /task: expected one of: synthetic_decays, got sines/,
    );
  });

  test('its claims fail when the fit is not what it should be', () => {
    const params = parse();
    const row = (N: number, final_val_mse: number, decays: number[]): SeriesRow => ({
      ...{
        task: 'synthetic_decays',
        run: 'r',
        model: 'mamba_diag_exp',
        N,
        seed: 0,
        flags: {},
        parameters: 2 * N,
      },
      ...{
        train_mse: [1],
        val_mse: [final_val_mse],
        final_val_mse,
        decays,
        gains: decays,
        seconds: 1,
        ts: '',
      },
    });
    const good = [row(1, 0.13, [0.858]), row(2, 1e-7, [0.9, 0.5])];
    const passed = (rows: readonly SeriesRow[]) => decayChecks(rows, params).map((check) => check.passed);
    expect(passed(good)).toEqual([true, true, true]);
    expect(passed([row(1, 0.1165, [0.858]), ...good.slice(1)])).toEqual([false, true, true]);
    expect(passed([...good.slice(0, 1), row(2, 1.1e-4, [0.9, 0.5])])).toEqual([true, false, true]);
    expect(passed([...good.slice(0, 1), row(2, 1e-7, [0.9, 0.511])])).toEqual([true, true, false]);
    expect(passed([...good.slice(0, 1), row(2, 1e-7, [0.9])])).toEqual([true, true, false]);
    const { decays: _decays, ...block } = row(1, 1e-5, []);
    expect(passed([block])).toEqual([]);
  });

  test('trains the block too, and stops when the signal fires or the error is no number', async () => {
    const small = parse({ trainSamples: 32, valSamples: 8, seqLen: 10, epochs: 3 });
    const data = seriesData(small);
    const place = { device: 'reference', signal: new AbortController().signal };
    const block = await trainSeries('mamba_diag_block', 1, small, data, place);
    expect(block.fitted).toBeUndefined();
    expect(block.heldOutErrors.at(-1)).toBeLessThan(block.heldOutErrors[0] as number);
    const aborted = trainSeries('mamba_diag_exp', 1, small, data, { ...place, signal: AbortSignal.abort() });
    await expect(aborted).rejects.toBeInstanceOf(AbortedError);
    const wild = trainSeries('mamba_diag_exp', 1, { ...small, lr: 1e30 }, data, place);
    await expect(wild).rejects.toMatchObject({ code: 'ERR_NON_FINITE' });
  });
});
