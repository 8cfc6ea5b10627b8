/** Trainings in processes of their own give the numbers of this one. Builds the package first. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BackendUnavailableError } from '@statespace/ssd-core';
import { getDeviceKernels } from '@statespace/tensor';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder, tinyConfig } from '../src/testing/tiny-training.js';
import type { EpochTraining } from '../src/train/epochs/train-epochs.js';
import { trainMany } from '../src/train/epochs/train-many.js';

const workerFile = fileURLToPath(new URL('../dist/train/epochs/training-worker.js', import.meta.url));
const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');

const configs = [0, 1, 2, 3, 4].map((seed) =>
  tinyConfig({
    seed,
    loss: 'last',
    model: { architecture: seed % 2 === 0 ? 'mamba' : 'mamba-diag' },
    trainer: { epochs: 2, steps: undefined, evalEvery: undefined },
  }),
);

function hasCpu(): boolean {
  try {
    getDeviceKernels('cpu');
    return true;
  } catch (error) {
    if (error instanceof BackendUnavailableError) return false;
    throw error;
  }
}

async function trained(threads: number, file = workerFile): Promise<(object | undefined)[]> {
  const results: (object | undefined)[] = configs.map(() => undefined);
  await trainMany(configs, {
    device: 'cpu',
    threads,
    signal: new AbortController().signal,
    workerFile: file,
    onDone: (index, { seconds: _clock, ...training }: EpochTraining) => {
      results[index] = training;
    },
  });
  return results;
}

describe.skipIf(!hasCpu())('trainMany', () => {
  beforeAll(() => {
    const built = spawnSync(process.execPath, [
      compiler,
      '-b',
      fileURLToPath(new URL('..', import.meta.url)),
    ]);
    expect(built.stdout.toString()).toBe('');
  }, 180_000);

  test('gives the same bits one after the other, and in two or three processes', async () => {
    const alone = await trained(1);
    expect(alone).not.toContain(undefined);
    expect(await trained(2)).toEqual(alone);
    expect(await trained(3)).toEqual(alone);
  });

  test('ends with the error of a training, and keeps what was done before it', async () => {
    const done: number[] = [];
    const [good, other] = configs as [(typeof configs)[number], (typeof configs)[number]];
    const bad = { ...other, optimizer: { ...other.optimizer, lr: 1e30, clipNorm: undefined } };
    const failing = trainMany([good, { ...bad, trainer: { ...bad.trainer, epochs: 40 } }, good], {
      device: 'cpu',
      threads: 2,
      signal: new AbortController().signal,
      workerFile,
      onDone: (index) => {
        done.push(index);
      },
    });
    await expect(failing).rejects.toMatchObject({ code: 'ERR_NON_FINITE' });
    expect(done).not.toContain(1);
  });

  test('stops all processes when the signal fires', async () => {
    const controller = new AbortController();
    const long = configs.map((config) => ({ ...config, trainer: { ...config.trainer, epochs: 100_000 } }));
    const stopped = trainMany(long, {
      device: 'cpu',
      threads: 2,
      signal: controller.signal,
      workerFile,
      onEpoch: () => controller.abort(),
      onDone: () => {
        throw new Error('nothing can be done');
      },
    });
    await expect(stopped).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });

  test('tells of a process that dies', async () => {
    using folder = temporaryFolder();
    const dying = join(folder.path, 'dying.mjs');
    writeFileSync(dying, "process.on('message', () => process.exit(7));\n");
    await expect(trained(2, dying)).rejects.toThrow(
      /a training process: expected its result, got an end by exit code 7/,
    );
  });
});
