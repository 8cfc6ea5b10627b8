import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FormatError } from '@statespace/ssd-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readMetrics } from './metric-log.js';
import { RunMetrics } from './run-metrics.js';
import { fileVersionRecord, scalarRecord } from './tensorboard-event.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'statespace-metrics-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const open = (keepThrough?: number) => RunMetrics.open(directory, 'run-1', 1700000000, keepThrough);
const log = () => join(directory, 'metrics.jsonl');

async function fill(): Promise<void> {
  const metrics = await open();
  for (let step = 10; step <= 50; step += 10) metrics.append('train', step, { loss: 1 / step });
  metrics.append('eval', 50, { loss: 0.5 });
  metrics.close();
}

describe('RunMetrics', () => {
  test('writes each row to both files', async () => {
    await fill();
    const rows = readMetrics(log());
    expect(rows.map(({ step, kind }) => [step, kind])).toEqual([
      [10, 'train'],
      [20, 'train'],
      [30, 'train'],
      [40, 'train'],
      [50, 'train'],
      [50, 'eval'],
    ]);
    const [first] = rows;
    const board = readFileSync(join(directory, 'events.out.tfevents.1700000000.run-1'));
    const start = Buffer.concat([
      fileVersionRecord(1700000000),
      scalarRecord({ wallTime: first?.time ?? 0, step: 10, scalars: { 'train/loss': 0.1 } }),
    ]);
    expect(board.subarray(0, start.length).equals(start)).toBe(true);
  });

  test('a resumed run drops later rows, and a line that was cut short, from both', async () => {
    await fill();
    appendFileSync(log(), '{"step": 60, "ki');
    const metrics = await open(30);
    metrics.append('train', 40, { loss: 9 });
    metrics.close();
    expect(readMetrics(log()).map(({ step, loss }) => [step, loss])).toEqual([
      [10, 0.1],
      [20, 0.05],
      [30, 1 / 30],
      [40, 9],
    ]);
    const records = readMetrics(log()).map(({ step, time, loss }) =>
      scalarRecord({ wallTime: time, step, scalars: { 'train/loss': Number(loss) } }),
    );
    const [file] = readdirSync(directory).filter((name) => name.includes('tfevents'));
    const whole = Buffer.concat([fileVersionRecord(1700000000), ...records]);
    expect(readFileSync(join(directory, file as string)).equals(whole)).toBe(true);
  });

  test('names the line that is no row', async () => {
    await fill();
    appendFileSync(log(), 'nonsense\n');
    expect(() => readMetrics(log())).toThrow(FormatError);
    expect(() => readMetrics(log())).toThrow('metrics.jsonl:7');
  });
});
