import { BackendUnavailableError } from '@statespace/ssd-core';
import { getDeviceKernels, getNumThreads, setNumThreads } from '@statespace/tensor';
import { afterEach, describe, expect, test } from 'vitest';
import { fixedData, tinyConfig } from '../../testing/tiny-training.js';
import { planSteps } from '../batch-plan.js';
import { evaluate } from '../evaluate.js';
import { loadTrainData } from '../train-data.js';
import { TrainingSession } from '../training-session.js';
import { evaluateLastPosition } from './last-position.js';
import { type EpochResult, trainEpochs } from './train-epochs.js';

const config = (changes: Parameters<typeof tinyConfig>[0] = {}) =>
  tinyConfig({ loss: 'last', trainer: { epochs: 3, steps: undefined, evalEvery: undefined }, ...changes });

function hasCpu(): boolean {
  try {
    getDeviceKernels('cpu');
    return true;
  } catch (error) {
    if (error instanceof BackendUnavailableError) return false;
    throw error;
  }
}

describe('trainEpochs', () => {
  test('tells each epoch, and its loss falls on a task with a rule', async () => {
    const seen: EpochResult[] = [];
    const training = await trainEpochs(config({ trainer: { epochs: 8, steps: undefined } }), fixedData(), {
      device: 'reference',
      onEpoch: (result) => seen.push(result),
    });
    expect(training.epochs).toEqual(seen);
    expect(seen.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(training.untrained.loss).toBeCloseTo(Math.log(3), 1);
    expect(seen.at(-1)?.trainLoss).toBeLessThan(0.7 * (seen[0] as EpochResult).trainLoss);
    expect(seen.at(-1)?.heldOutLoss).toBeLessThan(training.untrained.loss);
    expect(training.parameters).toBeGreaterThan(100);
    expect(training.seconds).toBeGreaterThan(0);
  });

  test('counts every window once in the mean, a short last batch too', async () => {
    // 10 windows in batches of 4, 4 and 2, by hand.
    const data = fixedData();
    const settings = config({ trainer: { epochs: 1, steps: undefined } });
    const { epochs } = await trainEpochs(settings, data, { device: 'reference' });
    const session = new TrainingSession(settings, data, planSteps(settings, 10), 'reference');
    const losses = [1, 2, 3].map(() => session.trainStep().loss.read()) as [number, number, number];
    expect(epochs[0]?.trainLoss).toBeCloseTo((4 * losses[0] + 4 * losses[1] + 2 * losses[2]) / 10, 12);
    const judged = await evaluateLastPosition(session.model, data.heldOut, { batchSize: 3 });
    const whole = await evaluate(session.model, data.heldOut, { batchSize: 4 });
    expect(judged.loss).toBeCloseTo(whole.lastLoss, 6);
    expect(judged.accuracy).toBe(whole.lastAccuracy);
    session.dispose();
  });

  const threads = hasCpu() ? getNumThreads() : 1;
  afterEach(() => {
    if (hasCpu()) setNumThreads(threads);
  });

  test.skipIf(!hasCpu()).each(['mamba', 'mamba-diag'])(
    'gives the same bits for every number of threads: %s',
    async (architecture) => {
      // Wide enough for the kernels to share the work among threads.
      const settings = config({
        model: { architecture, dModel: 32, dState: 4 },
        data: { seqLen: 32, trainMaxSamples: 64, valMaxSamples: 32 },
        trainer: { epochs: 2, steps: undefined, batchSize: 32 },
      });
      const data = await loadTrainData(settings);
      const curves = [];
      for (const count of [1, 2, 3]) {
        setNumThreads(count);
        const { seconds: _clock, ...rest } = await trainEpochs(settings, data, { device: 'cpu' });
        curves.push(rest);
      }
      expect(curves[1]).toEqual(curves[0]);
      expect(curves[2]).toEqual(curves[0]);
    },
  );

  test('stops when the signal fires', async () => {
    const controller = new AbortController();
    const stopped = trainEpochs(config(), fixedData(), {
      device: 'reference',
      signal: controller.signal,
      onEpoch: () => controller.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });

  test.each([
    [{ loss: 'full' }, /loss: expected 'last', got 'full'/],
    [{ trainer: { steps: 3 } }, /trainer\.epochs/],
  ])('refuses %j', async (changes, message) => {
    const wrong = tinyConfig({ loss: 'last', trainer: { epochs: 1, steps: undefined }, ...changes });
    await expect(trainEpochs(wrong, fixedData(), { device: 'reference' })).rejects.toThrow(message);
  });
});
