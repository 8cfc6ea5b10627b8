/** exp4, exp4b, exp5, exp5b and the precision study as they are run: flags, metadata, figures. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '@statespace/ssd-core';
import { getBackendInfo } from '@statespace/tensor';
import { describe, expect, test } from 'vitest';
import { schemaFlags } from '../../config/schema-flags.js';
import type { PlainObject } from '../../config/yaml-file.js';
import type { Experiment } from '../../experiment/define.js';
import { checkParams, runExperiment } from '../../experiment/run-experiment.js';
import { RunStore } from '../../runs/run-store.js';
import { temporaryFolder } from '../../testing/tiny-training.js';
import { exp4TimeScaling } from './exp4-time-scaling.js';
import { exp4bTimeScalingErrorbars } from './exp4b-time-scaling-errorbars.js';
import { exp5SoftmaxRankGrowth } from './exp5-softmax-rank-growth.js';
import { exp5bRankGrowth } from './exp5b-rank-growth.js';
import { precisionStudy } from './precision-study.js';

/** Runs to the end, in a folder that is gone afterwards. */
async function results(experiment: Experiment, params: PlainObject) {
  using folder = temporaryFolder();
  const outcome = await runExperiment(experiment, params, { store: new RunStore(folder.path) });
  if (outcome.status !== 'completed') throw new Error('interrupted');
  const { run, result } = outcome;
  const missing = result.artifacts.filter((path) => !existsSync(join(run.directory, path)));
  const beside = readdirSync(folder.path).filter((name) => name.endsWith('.png'));
  return { result, missing, beside, metadata: result.metadata as PlainObject };
}

const native = getBackendInfo().backend === 'cpu';

describe('flags of the original', () => {
  test.each([
    [exp4TimeScaling, ['--T-values', '--end-to-end', '--exp4-end-to-end', '--exp4-plot', '--exp4-plot-path']],
    [exp4bTimeScalingErrorbars, ['--T-values', '--n-trials', '--n-repeats', '--end-to-end', '--out']],
    [exp5SoftmaxRankGrowth, ['--T-values', '--d-k', '--seed']],
    [exp5bRankGrowth, ['--T-values', '--d-k', '--seeds', '--out', '--gap-out']],
    [precisionStudy, ['--a-values', '--T-values', '--n-trials', '--chunk-sizes']],
  ])('$name', (experiment, flags) => {
    const known = schemaFlags(experiment.params).flatMap(({ names }) => names);
    expect(known).toEqual(expect.arrayContaining(flags));
  });

  test.each([
    [exp4TimeScaling, { seqLens: [300, 600, 1200], endToEnd: true, plot: true }],
    [exp4bTimeScalingErrorbars, { trials: 8, repeats: 5 }],
    [exp5SoftmaxRankGrowth, { seqLens: [80, 160, 320], dK: 16, seed: 0 }],
    [exp5bRankGrowth, { seqLens: [20, 40, 80, 160, 320], seeds: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] }],
    [precisionStudy, { decays: [0.9, 0.99, 0.999], seqLens: [64, 256, 1024, 4096] }],
  ])('$name has its values as defaults', (experiment, values) => {
    expect(checkParams(experiment, {}, 'defaults')).toMatchObject(values);
  });

  test.each<[Experiment, PlainObject]>([
    [exp4TimeScaling, { seqLens: [300, 300] }],
    [exp4TimeScaling, { seqLens: [20_000] }],
    [exp4TimeScaling, { minSampleMs: 0 }],
    [exp4TimeScaling, { plotPath: 'figure.gif' }],
    [exp4bTimeScalingErrorbars, { trials: 1 }],
    [exp4bTimeScalingErrorbars, { device: 'cpu' }],
    [exp5SoftmaxRankGrowth, { seqLens: [1] }],
    [exp5SoftmaxRankGrowth, { dK: 0 }],
    [exp5bRankGrowth, { seeds: [] }],
    [precisionStudy, { decays: [1] }],
    [precisionStudy, { chunkSizes: [4096] }],
  ])('refuses what does not fit: %#', (experiment, params) => {
    expect(() => checkParams(experiment, params, 'test')).toThrow(ConfigError);
  });
});

describe('exp4', () => {
  const short = { seqLens: [20, 40], minSampleMs: 0.5, nativeSeqLens: [64], nativeKernelSeqLens: [32] };

  test('times, counts and slopes of every form, and the figure beside the run', async () => {
    const { result, metadata, missing, beside } = await results(exp4TimeScaling, short);
    expect(result).toMatchObject({ passed: true, dtype: 'f64', tolerance: 1e-12 });
    expect(metadata.times).toMatchObject([{ T: 20 }, { T: 40 }]);
    expect(metadata.flops).toMatchObject([{ T: 20, stage_units: 4 * 4 * 20 * 16 }, { T: 40 }]);
    expect(metadata).toMatchObject({
      slope_recurrence: expect.any(Number),
      slope_attention: expect.any(Number),
      slope_attention_end_to_end: expect.any(Number),
    });
    expect(missing).toEqual([]);
    expect(beside).toEqual(['exp4_time_scaling.png']);
    if (native) {
      const forms = (metadata.native_times as PlainObject[]).map(({ form, T }) => `${form} ${T}`);
      expect(forms).toEqual([
        'selectiveScan 64',
        'ssdChunkScan 64',
        'diagonalSsd 64',
        'kernel product 32',
        'kernel and product 32',
      ]);
    }
  });

  test('on the reference, without construction, plot, or a second length', async () => {
    const params = { ...short, seqLens: [20], device: 'reference', endToEnd: false, plot: false };
    const { result, metadata, beside } = await results(exp4TimeScaling, params);
    expect(result.passed).toBe(true);
    expect(metadata.native).toMatch(/^skipped/);
    expect(JSON.stringify(metadata)).not.toMatch(/end_to_end|slope|native_times|"figure"/);
    expect(beside).toEqual([]);
  });
});

test('exp4b: a row for every trial, mean and interval for every length', async () => {
  const params = { seqLens: [20, 40], trials: 2, repeats: 2, minSampleMs: 0.5 };
  const { result, metadata, missing, beside } = await results(exp4bTimeScalingErrorbars, params);
  expect(result.passed).toBe(true);
  expect(metadata.trials).toHaveLength(4);
  expect(metadata.times).toMatchObject([
    { T: 20, recurrence_ms_mean: expect.any(Number), recurrence_ms_ci95: expect.any(Number) },
    { T: 40, attention_end_to_end_ms_mean: expect.any(Number) },
  ]);
  expect(missing).toEqual([]);
  expect(beside).toEqual(['exp4b_time_scaling.png']);
});

describe('exp5', () => {
  test('ranks, the exact witness and the low-rank errors', async () => {
    const { result, metadata, missing } = await results(exp5SoftmaxRankGrowth, { seqLens: [40, 80] });
    expect(result.passed).toBe(true);
    expect(metadata.ranks).toMatchObject([
      { T: 40, d_k: 16, kernel_rank: 40, corner_rank: 20, gap: 0, tolerance: expect.any(Number) },
      { T: 80, kernel_rank: 79, corner_rank: 40, gap: 1 },
    ]);
    expect(metadata).toMatchObject({ witness_rank: 64, trap_rank: 31, low_rank_T: 80 });
    expect(missing).toEqual([]);
  });

  test.each([
    [1, 40],
    [2, 64],
    [3, 2],
  ])('keys of width %i claim what they can', async (dK, seqLen) => {
    const { result } = await results(exp5SoftmaxRankGrowth, { seqLens: [seqLen], dK });
    expect(result.passed).toBe(true);
    const corner = result.details.filter(({ claim }) => claim.startsWith('the corner'));
    expect(corner).toHaveLength(dK < 3 ? 0 : 1);
  });
});

test('exp5b: mean and deviation over seeds, both figures beside the run', async () => {
  const { result, metadata, missing, beside } = await results(exp5bRankGrowth, {
    seqLens: [20, 40],
    seeds: [4, 7],
  });
  expect(result.passed).toBe(true);
  expect(metadata.summary).toMatchObject([
    { T: 20, kernel_rank_mean: 20, kernel_rank_std: 0, corner_rank_mean: 10 },
    { T: 40, corner_rank_mean: 20 },
  ]);
  expect((metadata.ranks as PlainObject[]).map(({ seed }) => seed)).toEqual([4, 7, 4, 7]);
  expect(missing).toEqual([]);
  expect(beside.sort()).toEqual(['exp5b_rank_growth.png', 'exp5b_rank_growth_gap.png']);
});

test('precision study: errors of every format, a figure for every decay', async () => {
  const { result, metadata, missing } = await results(precisionStudy, { trials: 2 });
  expect(result.passed).toBe(true);
  expect(metadata.errors).toHaveLength(3 * 4 * 7);
  expect(result.artifacts.filter((path) => path.endsWith('.png'))).toHaveLength(3);
  if (native)
    expect(metadata.chunked).toMatchObject([{ chunk_size: 16, error: expect.any(Number) }, {}, {}, {}]);
  expect(missing).toEqual([]);
});
