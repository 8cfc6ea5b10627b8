import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AbortedError,
  ArgumentError,
  CheckpointError,
  ConfigError,
  DataError,
  IoError,
} from '@statespace/ssd-core';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { commonParams } from '../config/common-params.js';
import type { Run } from '../runs/run.js';
import { RunStore } from '../runs/run-store.js';
import { temporaryFolder } from '../testing/tiny-training.js';
import { defineExperiment, type ExperimentOutcome } from './define.js';
import { ExperimentRegistry } from './registry.js';
import { resumeExperiment, runExperiment } from './run-experiment.js';

const completed = (passed: boolean): ExperimentOutcome => ({
  status: 'completed',
  details: [{ claim: 'it holds', passed, found: String(passed) }],
  metadata: { answer: 42 },
  artifacts: [],
});

function experiment(run: (params: { size: number }, resume: boolean) => Promise<ExperimentOutcome>) {
  return defineExperiment({
    name: 'sample',
    summary: 'a sample',
    paper: 'none',
    params: z.strictObject({ ...commonParams, size: z.int().default(2) }),
    run: (params, { resume }) => run(params, resume),
  });
}

const onReference = { device: 'reference' };

describe('runExperiment', () => {
  test('hands over checked parameters and writes the result', async () => {
    using folder = temporaryFolder();
    const store = new RunStore(folder.path);
    const sample = experiment(async ({ size }) => completed(size === 2));
    const { run, status } = await runExperiment(sample, onReference, { store });
    expect(status).toBe('completed');
    expect(run.readResult()).toEqual({
      name: 'sample',
      passed: true,
      details: [{ claim: 'it holds', passed: true, found: 'true' }],
      metadata: { answer: 42 },
      artifacts: [],
      seed: 0,
      dtype: 'f32',
      durationMs: expect.any(Number),
      versions: expect.objectContaining({ node: process.version, experiments: expect.any(String) }),
    });
    expect(run.readConfig()).toEqual({ seed: 0, device: 'reference', size: 2 });
    expect(run.readEnvironment()).toMatchObject({ backend: 'reference', node: process.version });
    expect(run.status).toBe('completed');
    expect(existsSync(join(run.directory, 'run.lock'))).toBe(false);
  });

  test('one failed check fails the experiment', async () => {
    using folder = temporaryFolder();
    const sample = experiment(async () => completed(false));
    const outcome = await runExperiment(sample, onReference, { store: new RunStore(folder.path) });
    expect(outcome).toMatchObject({ status: 'completed', result: { passed: false } });
  });

  test('a missed measurement that is only advisory does not', async () => {
    using folder = temporaryFolder();
    const missed = { claim: 'it is fast', passed: false, found: 'slow', advisory: true };
    const sample = experiment(async () => ({ ...completed(true), details: [missed] }) as ExperimentOutcome);
    const outcome = await runExperiment(sample, onReference, { store: new RunStore(folder.path) });
    expect(outcome).toMatchObject({ result: { passed: true, details: [missed] } });
  });

  test('makes no folder for parameters or a device that do not fit', async () => {
    using folder = temporaryFolder();
    const store = new RunStore(join(folder.path, 'runs'));
    const sample = experiment(async () => completed(true));
    await expect(runExperiment(sample, { size: 'big' }, { store })).rejects.toThrow(ConfigError);
    await expect(runExperiment(sample, { device: 'cuda' }, { store })).rejects.toThrow("'cuda'");
    expect(existsSync(store.root)).toBe(false);
  });

  test('nor one for bad input that shows only when the work begins', async () => {
    using folder = temporaryFolder();
    const store = new RunStore(folder.path);
    const sample = experiment(async () => {
      throw new DataError({ op: 'load', argument: '/nowhere', got: 'nothing' });
    });
    await expect(runExperiment(sample, onReference, { store })).rejects.toThrow(DataError);
    expect(store.list()).toEqual([]);
    await expect(runExperiment(sample, { ...onReference, threads: 2 }, { store })).rejects.toThrow('threads');
  });

  test('an abort leaves an interrupted run', async () => {
    using folder = temporaryFolder();
    const store = new RunStore(folder.path);
    const sample = experiment(async () => {
      throw new AbortedError({ op: 'load' });
    });
    await expect(runExperiment(sample, onReference, { store })).rejects.toThrow(AbortedError);
    expect(store.find('latest').status).toBe('interrupted');
  });

  test('an error marks the run as failed, with its message, and frees the lock', async () => {
    using folder = temporaryFolder();
    const store = new RunStore(folder.path);
    const sample = experiment(async () => {
      throw new Error('the cable came loose');
    });
    await expect(runExperiment(sample, onReference, { store })).rejects.toThrow('cable');
    const [run] = store.list() as [Run];
    expect(run.record).toMatchObject({ status: 'failed', error: 'the cable came loose' });
    expect(existsSync(join(run.directory, 'run.lock'))).toBe(false);
  });
});

describe('resumeExperiment', () => {
  const flaky = experiment(async (_params, resume) =>
    resume ? completed(true) : { status: 'interrupted', step: 3, checkpoint: 'c' },
  );

  test('goes on with an interrupted run, and the error of an earlier attempt is gone', async () => {
    using folder = temporaryFolder();
    const { run, status } = await runExperiment(flaky, onReference, { store: new RunStore(folder.path) });
    expect(status).toBe('interrupted');
    await run.setStatus('failed', 'an earlier error');
    const outcome = await resumeExperiment(flaky, run, {});
    expect(outcome.status).toBe('completed');
    expect(run.readEnvironment().resumedOn).toMatchObject([{ device: 'reference' }]);
    expect(readFileSync(join(run.directory, 'run.json'), 'utf8')).not.toContain('earlier error');
  });

  test('refuses a completed run, and one that is locked', async () => {
    using folder = temporaryFolder();
    const store = new RunStore(folder.path);
    const { run } = await runExperiment(flaky, onReference, { store });
    run.lock();
    await expect(resumeExperiment(flaky, store.find(run.id), {})).rejects.toThrow(IoError);
    expect(run.status).toBe('interrupted');
    run.unlock();
    await resumeExperiment(flaky, run, {});
    await expect(resumeExperiment(flaky, run, {})).rejects.toThrow(CheckpointError);
  });
});

describe('registry', () => {
  test('knows experiments by name, each once', () => {
    const sample = experiment(async () => completed(true));
    const registry = new ExperimentRegistry([sample]);
    expect(registry.get('sample')).toBe(sample);
    expect(() => registry.add(sample)).toThrow(ArgumentError);
    expect(() => registry.get('smaple')).toThrow("Did you mean 'sample'?");
  });

  test('and by their aliases', () => {
    const sample = { ...experiment(async () => completed(true)), aliases: ['exp9', 'exp9_sample'] };
    const registry = new ExperimentRegistry([defineExperiment(sample)]);
    expect(registry.get('exp9_sample').name).toBe('sample');
    expect(registry.has('exp9')).toBe(true);
    expect(registry.list()).toHaveLength(1);
    expect(() => registry.get('exp8_sample')).toThrow("Did you mean 'exp9_sample'?");
    for (const [name, alias] of [
      ['exp9', 'other'],
      ['other', 'sample'],
      ['other', 'other'],
    ] as const) {
      expect(() => registry.add({ ...sample, name, aliases: [alias] })).toThrow('a new name');
    }
    expect(registry.has('other')).toBe(false);
  });

  test('names are plain words', () => {
    const definition = { ...experiment(async () => completed(true)), name: 'No Name' };
    expect(() => defineExperiment(definition)).toThrow(ArgumentError);
    expect(() => defineExperiment({ ...definition, name: 'name', aliases: ['A b'] })).toThrow('alias');
  });
});
