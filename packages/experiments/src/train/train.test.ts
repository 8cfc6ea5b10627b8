import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  comparableRows,
  drain,
  fixedData,
  newRun,
  temporaryFolder,
  tinyConfig,
} from '../testing/tiny-training.js';
import type { EvalEvent, LogEvent, TrainEvent } from './events.js';
import { train } from './train.js';

const device = 'reference';

function of<T extends TrainEvent['type']>(events: readonly TrainEvent[], type: T) {
  return events.filter((event): event is Extract<TrainEvent, { type: T }> => event.type === type);
}

test('the events of a run, in order, and what is due when', async () => {
  using folder = temporaryFolder();
  const config = tinyConfig();
  const run = await newRun(folder.path, config);
  const { events, result } = await drain(train(config, { run, device }));

  expect(events[0]).toMatchObject({
    type: 'start',
    step: 0,
    totalSteps: 12,
    trainWindows: 20,
    heldOutWindows: 4,
  });
  expect(of(events, 'step').map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  expect(of(events, 'log').map(({ step }) => step)).toEqual([3, 6, 9, 12]);
  expect(of(events, 'eval').map(({ step }) => step)).toEqual([0, 4, 8, 12]);
  expect(
    of(events, 'checkpoint')
      .filter(({ reason }) => reason !== 'best')
      .map(({ step, reason }) => [step, reason]),
  ).toEqual([
    [5, 'periodic'],
    [10, 'periodic'],
    [12, 'final'],
  ]);
  expect(events.at(-1)).toMatchObject({ type: 'end', result: { status: 'completed', step: 12 } });
  expect(result.tokens).toBe(12 * 4 * 6);
  // 20 windows make epochs of five steps.
  expect(of(events, 'log').at(-1)).toMatchObject({ epoch: 2.4 });
  expect(readdirSync(run.checkpointDirectory).sort()).toEqual([
    'best.safetensors',
    'step-00000010.safetensors',
    'step-00000012.safetensors',
  ]);
  expect(existsSync(join(run.directory, result.figure ?? ''))).toBe(true);
  expect(readdirSync(join(run.directory, 'figures')).sort()).toEqual([
    'loss.pdf',
    'loss.png',
    'loss.svg',
    'loss.vl.json',
  ]);
  run.unlock();
});

test('a logged loss is the mean of the steps since the last log, read lazily', async () => {
  using folder = temporaryFolder();
  const config = tinyConfig();
  const run = await newRun(folder.path, config);
  const lazy: (() => number)[] = [];
  const { events } = await drain(train(config, { run, device }), (event) => {
    if (event.type === 'step') lazy.push(event.loss);
  });
  const losses = lazy.map((loss) => loss());
  const [, second] = of(events, 'log') as [LogEvent, LogEvent];
  const [, , , a, b, c] = losses as [number, number, number, number, number, number];
  expect(second.loss).toBe((a + b + c) / 3);
  run.unlock();
});

test('it learns', async () => {
  using folder = temporaryFolder();
  const config = tinyConfig({ trainer: { steps: 60, evalEvery: 60, checkpointEvery: 60 } });
  const run = await newRun(folder.path, config);
  const { events, result } = await drain(train(config, { run, device, data: fixedData() }));
  const [first, last] = of(events, 'eval') as [EvalEvent, EvalEvent];
  expect(first.loss).toBeCloseTo(Math.log(3), 1);
  expect(last.loss).toBeLessThan(0.3);
  expect(last.accuracy).toBeGreaterThan(0.95);
  expect(result.best).toEqual({ step: 60, loss: last.loss });
  run.unlock();
});

test('the same seed gives the same bytes, another seed others', async () => {
  using folder = temporaryFolder();
  const bytes = async (seed: number) => {
    const config = tinyConfig({ seed });
    const run = await newRun(folder.path, config);
    const { result } = await drain(train(config, { run, device }));
    run.unlock();
    return readFileSync(join(run.directory, result.checkpoint));
  };
  const first = await bytes(0);
  expect(first.equals(await bytes(0))).toBe(true);
  expect(first.equals(await bytes(1))).toBe(false);
});

test('a batch in parts gives the gradient of the whole', async () => {
  using folder = temporaryFolder();
  const rows = async (accumulate: number) => {
    // Batches of 4 from 10 windows: the last one of an epoch has 2.
    const config = tinyConfig({ trainer: { steps: 6, accumulate } });
    const run = await newRun(folder.path, config);
    await drain(train(config, { run, device, data: fixedData() }));
    run.unlock();
    return comparableRows(run) as { loss: number }[];
  };
  const [whole, parts] = [await rows(1), await rows(4)];
  expect(parts.length).toBe(whole.length);
  parts.forEach((row, i) => {
    expect(row.loss).toBeCloseTo(whole[i]?.loss ?? Number.NaN, 4);
  });
});

test('last-position training judges by the last position', async () => {
  using folder = temporaryFolder();
  const config = tinyConfig({ loss: 'last', trainer: { steps: 40, evalEvery: 20, checkpointEvery: 40 } });
  const run = await newRun(folder.path, config);
  const { result } = await drain(train(config, { run, device, data: fixedData() }));
  expect(result.best?.loss).toBeLessThan(0.8);
  expect(result.best?.loss).not.toBe(result.heldOut?.loss);
  run.unlock();
});
