import { readdirSync } from 'node:fs';
import { IoError, NonFiniteError } from '@statespace/ssd-core';
import { afterEach, expect, test, vi } from 'vitest';
import { comparableRows, drain, newRun, temporaryFolder, tinyConfig } from '../testing/tiny-training.js';
import { readCheckpoint } from './checkpoint.js';
import { train } from './train.js';
import { TrainingSession } from './training-session.js';

/** Switched on, every write fails as on a full disk. */
const disk = vi.hoisted(() => ({ full: false }));

function refuse(): never {
  throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
}

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const writeSync = (...args: Parameters<typeof fs.writeSync>): number =>
    disk.full ? refuse() : fs.writeSync(...args);
  return { ...fs, writeSync };
});

vi.mock('node:fs/promises', async (original) => {
  const fs = await original<typeof import('node:fs/promises')>();
  const open: typeof fs.open = async (...args) => {
    const handle = await fs.open(...args);
    const write = handle.write.bind(handle) as (...rest: unknown[]) => unknown;
    return Object.assign(handle, { write: (...rest: unknown[]) => (disk.full ? refuse() : write(...rest)) });
  };
  return { ...fs, open };
});

const device = 'reference';

afterEach(() => {
  disk.full = false;
  vi.restoreAllMocks();
});

test('a NaN stops the run before it changes weights, and names step and parameter', async () => {
  using folder = temporaryFolder();
  const config = tinyConfig();
  const run = await newRun(folder.path, config);
  const step = TrainingSession.prototype.trainStep;
  vi.spyOn(TrainingSession.prototype, 'trainStep').mockImplementation(function (this: TrainingSession) {
    if (this.step === 6) {
      const [, poisoned] = this.parameters.find(([name]) => name.endsWith('A_log')) ?? [];
      poisoned?.fill(Number.NaN);
    }
    return step.call(this);
  });
  const stopped = drain(train(config, { run, device }));
  await expect(stopped).rejects.toThrow(NonFiniteError);
  await expect(stopped).rejects.toThrow(/step 7, value of parameter backbone\.layers\.0\.mixer\.A_log/);
  const [kept, ...others] = readdirSync(run.checkpointDirectory).filter((name) => name.startsWith('step'));
  expect(others).toEqual([]);
  const { header, parameters } = await readCheckpoint(`${run.checkpointDirectory}/${kept}`);
  expect(header.state.step).toBe(5);
  for (const [name, value] of parameters) {
    expect(value.toArray().every(Number.isFinite), name).toBe(true);
  }
  expect(comparableRows(run).map((row) => (row as { step: number }).step)).toEqual([0, 3, 4, 6]);
  run.unlock();
});

test('an overflowing learning rate is stopped too', async () => {
  using folder = temporaryFolder();
  const config = tinyConfig({ optimizer: { lr: 1e30 } });
  const run = await newRun(folder.path, config);
  await expect(drain(train(config, { run, device }))).rejects.toThrow(
    /train: (step|loss of step|held-out loss after step) \d+/,
  );
  run.unlock();
});

test.each([
  ['a metric row', 'step', 5],
  ['a checkpoint', 'log', 9],
] as const)(
  'a disk that is full for %s ends the run with the checkpoint before it whole',
  async (_what, type, step) => {
    using folder = temporaryFolder();
    const config = tinyConfig();
    const run = await newRun(folder.path, config);
    const stopped = drain(train(config, { run, device }), (event) => {
      if (event.type === type && event.step === step) disk.full = true;
    });
    await expect(stopped).rejects.toThrow(IoError);
    await expect(stopped).rejects.toThrow(/ENOSPC|no space left/);
    const files = readdirSync(run.checkpointDirectory);
    expect(files.filter((name) => name.endsWith('.tmp'))).toEqual([]);
    const steps = files.filter((name) => name.startsWith('step'));
    expect(steps).toEqual(step === 5 ? [] : ['step-00000005.safetensors']);
    for (const name of steps) {
      expect((await readCheckpoint(`${run.checkpointDirectory}/${name}`)).header.state.step).toBe(5);
    }
    disk.full = false;
    const { result } = await drain(train(config, { run, device, resume: true }));
    expect(result.status).toBe('completed');
    run.unlock();
  },
);
