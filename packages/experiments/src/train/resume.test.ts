import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CheckpointError } from '@statespace/ssd-core';
import { describe, expect, test } from 'vitest';
import type { TrainConfig } from '../config/train-config.js';
import type { Run } from '../runs/run.js';
import { comparableRows, drain, newRun, temporaryFolder, tinyConfig } from '../testing/tiny-training.js';
import { listStepCheckpoints } from './checkpoint.js';
import type { StartEvent, TrainEvent } from './events.js';
import { train } from './train.js';

const device = 'reference';

/** Trains until `stop` says so, then drops everything as a killed process would, apart from the file handles. */
async function killWhen(config: TrainConfig, run: Run, stop: (event: TrainEvent) => boolean): Promise<void> {
  const killed = new Error('killed');
  const events = train(config, { run, device });
  await expect(
    drain(events, (event) => {
      if (stop(event)) throw killed;
    }),
  ).rejects.toBe(killed);
  await events.return(undefined as never);
}

async function unbroken(
  root: string,
  config: TrainConfig,
): Promise<{ bytes: Buffer; rows: object[]; best: Buffer }> {
  const run = await newRun(root, config);
  const { result } = await drain(train(config, { run, device }));
  run.unlock();
  return {
    bytes: readFileSync(join(run.directory, result.checkpoint)),
    best: readFileSync(join(run.directory, result.bestCheckpoint as string)),
    rows: comparableRows(run),
  };
}

describe('a resumed run', () => {
  const config = tinyConfig();

  test.each([
    ['before the first checkpoint', (event: TrainEvent) => event.type === 'step' && event.step === 3, 0],
    ['between two checkpoints', (event: TrainEvent) => event.type === 'step' && event.step === 8, 5],
    [
      'after an evaluation that no checkpoint holds',
      (event: TrainEvent) => event.type === 'eval' && event.step === 8,
      5,
    ],
    [
      'after the best weights were saved',
      (event: TrainEvent) => event.type === 'checkpoint' && event.step === 8,
      5,
    ],
    ['right after a checkpoint', (event: TrainEvent) => event.type === 'checkpoint' && event.step === 10, 10],
    [
      'after the last checkpoint, before the figure',
      (event: TrainEvent) => event.type === 'checkpoint' && event.reason === 'final',
      12,
    ],
  ])('broken off %s ends with the bytes of an unbroken one', async (_when, stop, resumedStep) => {
    using folder = temporaryFolder();
    const whole = await unbroken(folder.path, config);
    const run = await newRun(folder.path, config);
    await killWhen(config, run, stop);
    const { events, result } = await drain(train(config, { run, device, resume: true }));
    expect((events[0] as StartEvent).step).toBe(resumedStep);
    expect((events[0] as StartEvent).warnings).toEqual([]);
    expect(readFileSync(join(run.directory, result.checkpoint)).equals(whole.bytes)).toBe(true);
    expect(readFileSync(join(run.directory, result.bestCheckpoint as string)).equals(whole.best)).toBe(true);
    expect(comparableRows(run)).toEqual(whole.rows);
    run.unlock();
  });

  test('interrupted before the first step goes on without a second first evaluation', async () => {
    using folder = temporaryFolder();
    const whole = await unbroken(folder.path, config);
    const run = await newRun(folder.path, config);
    const { result } = await drain(train(config, { run, device, signal: AbortSignal.abort() }));
    expect(result).toMatchObject({ status: 'interrupted', step: 0 });
    const resumed = await drain(train(config, { run, device, resume: true }));
    expect(readFileSync(join(run.directory, resumed.result.checkpoint)).equals(whole.bytes)).toBe(true);
    expect(comparableRows(run)).toEqual(whole.rows);
    run.unlock();
  });

  test('interrupted between logs saves a checkpoint there and goes on with the same means', async () => {
    using folder = temporaryFolder();
    const whole = await unbroken(folder.path, config);
    const run = await newRun(folder.path, config);
    const controller = new AbortController();
    const { result } = await drain(train(config, { run, device, signal: controller.signal }), (event) => {
      if (event.type === 'step' && event.step === 7) controller.abort();
    });
    expect(result).toMatchObject({
      status: 'interrupted',
      step: 7,
      checkpoint: 'checkpoints/step-00000007.safetensors',
    });
    const resumed = await drain(train(config, { run, device, resume: true }));
    expect(readFileSync(join(run.directory, resumed.result.checkpoint)).equals(whole.bytes)).toBe(true);
    expect(comparableRows(run)).toEqual(whole.rows);
    run.unlock();
  });
});

describe('damaged checkpoints', () => {
  const config = tinyConfig();
  const stopAtEnd = (event: TrainEvent) => event.type === 'checkpoint' && event.reason === 'final';

  const damages: [string, (path: string) => void][] = [
    ['cut short', (path) => truncateSync(path, Math.floor(readFileSync(path).length / 2))],
    ['empty', (path) => truncateSync(path, 0)],
    [
      'one flipped bit',
      (path) => {
        const bytes = readFileSync(path);
        const last = bytes.length - 3;
        bytes[last] = (bytes[last] as number) ^ 1;
        writeFileSync(path, bytes);
      },
    ],
    ['another file', (path) => writeFileSync(path, 'not a checkpoint')],
  ];

  test.each(damages)('%s: the one before is taken, and said so', async (_kind, damage) => {
    using folder = temporaryFolder();
    const run = await newRun(folder.path, config);
    await killWhen(config, run, stopAtEnd);
    damage(listStepCheckpoints(run.checkpointDirectory).at(-1) as string);
    const { events } = await drain(train(config, { run, device, resume: true }));
    const { step, warnings } = events[0] as StartEvent;
    expect(step).toBe(10);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('step-00000012.safetensors');
    run.unlock();
  });

  test.each(damages)('%s in all of them: nothing is trained or changed', async (_kind, damage) => {
    using folder = temporaryFolder();
    const run = await newRun(folder.path, config);
    await killWhen(config, run, stopAtEnd);
    const rows = comparableRows(run);
    for (const path of listStepCheckpoints(run.checkpointDirectory)) damage(path);
    await expect(drain(train(config, { run, device, resume: true }))).rejects.toThrow(CheckpointError);
    expect(comparableRows(run)).toEqual(rows);
    run.unlock();
  });

  test('a checkpoint of other settings is refused by key', async () => {
    using folder = temporaryFolder();
    const run = await newRun(folder.path, config);
    await killWhen(config, run, stopAtEnd);
    const other = tinyConfig({ optimizer: { lr: 0.5 } });
    await expect(drain(train(other, { run, device, resume: true }))).rejects.toThrow(
      /optimizer\.lr: expected 0\.5/,
    );
    run.unlock();
  });

  test('threads, device and checkpoint intervals may change', async () => {
    using folder = temporaryFolder();
    const whole = await unbroken(folder.path, config);
    const run = await newRun(folder.path, config);
    await killWhen(config, run, (event) => event.type === 'step' && event.step === 8);
    const other = {
      ...config,
      threads: 2,
      trainer: { ...config.trainer, checkpointEvery: 3, keepCheckpoints: 1 },
    };
    const { result } = await drain(train(other, { run, device, resume: true }));
    expect(readFileSync(join(run.directory, result.checkpoint)).equals(whole.bytes)).toBe(true);
    run.unlock();
  });
});
