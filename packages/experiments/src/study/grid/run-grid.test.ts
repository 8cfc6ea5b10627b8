import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { ArgumentError, ConfigError, IoError } from '@statespace/ssd-core';
import { describe, expect, test } from 'vitest';
import { RunStore } from '../../runs/run-store.js';
import { drainGrid, sampleCells, sampleExperiment, sampleRegistry } from '../../testing/sample-grid.js';
import { temporaryFolder } from '../../testing/tiny-training.js';
import { parseCsv } from '../csv.js';
import { GridLog } from './grid-log.js';
import { planGrid } from './grid-plan.js';
import { formatLogCsv } from './log-record.js';
import { readPlan } from './plan-file.js';
import { runGrid } from './run-grid.js';

const read = (directory: string, name: string) => readFileSync(join(directory, name), 'utf8');
const rowsOf = (directory: string) =>
  read(directory, 'runs.jsonl')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('planGrid', () => {
  test('is the product of the axes, each combination with its own seeds', () => {
    const axes = { N: [1, 2], decays: [[0.5], [0.5, 0.8], [0.9]] };
    const cells = planGrid([{ experiment: sampleExperiment, fixed: { note: 'x' }, axes }], {
      repeats: 2,
      seedBase: 7,
    });
    expect(cells).toHaveLength(12);
    expect(cells[0]).toEqual({
      experiment: 'sample',
      seed: 7,
      params: { N: 1, decays: [0.5], note: 'x' },
    });
    expect(cells.map(({ seed }) => seed)).toEqual(Array(6).fill([7, 8]).flat());
    expect(cells.slice(0, 6).map(({ params }) => params.decays)).toEqual([
      [0.5],
      [0.5],
      [0.5, 0.8],
      [0.5, 0.8],
      [0.9],
      [0.9],
    ]);
  });

  test.each([
    [{ N: [] }, ArgumentError],
    [{ N: [1, 1] }, ArgumentError],
    [{ N: ['many'] }, ConfigError],
    [{ M: [1] }, ConfigError],
  ])('refuses the axes %j', (axes, error) => {
    const plan = () => planGrid([{ experiment: sampleExperiment, axes }], { repeats: 1, seedBase: 0 });
    expect(plan).toThrow(error);
  });
});

describe('runGrid', () => {
  test('writes a plan, a run folder and a row for each cell, the CSV file the same rows', async () => {
    using folder = temporaryFolder();
    const directory = join(folder.path, 'grid');
    const { events, result } = await drainGrid({ directory });
    expect(result).toEqual({ status: 'completed', total: 6, done: 6, failed: 0 });
    expect(events.map(({ done }) => done)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(events.flatMap((event) => (event.type === 'run' ? [event.varies] : []))).toEqual(
      [1, 1, 2, 2, 4, 4].map((N) => ({ N })),
    );
    expect(readPlan(directory)?.cells).toEqual(sampleCells());
    const rows = rowsOf(directory);
    expect(rows[3]).toEqual({
      format_version: 1,
      run_id: expect.stringMatching(/-s6-/),
      ts: expect.stringMatching(/^2\d{3}-.*Z$/),
      experiment: 'sample',
      seed: 6,
      params: { N: 2, decays: [0.5, 0.25], note: 'plain, "quoted"' },
      passed: true,
      summary: '8e-16\nwith plain, "quoted"',
      meta: { N: 2, max_abs_diff: 8e-16, ranks: [2, 2] },
    });
    const { rows: csv } = parseCsv(read(directory, 'runs.csv'));
    expect(csv).toHaveLength(7);
    expect(csv[0]?.cells.slice(0, 5)).toEqual(['format_version', 'run_id', 'ts', 'experiment', 'seed']);
    expect(JSON.parse(csv[4]?.cells.at(-1) as string)).toEqual(rows[3].meta);
    expect(new RunStore(join(directory, 'runs')).list()).toHaveLength(6);
    expect(existsSync(join(directory, 'runs.jsonl.lock'))).toBe(false);
  });

  test('refuses runs that are logged already; with resume it passes over them', async () => {
    using folder = temporaryFolder();
    const directory = folder.path;
    await drainGrid({ directory });
    const before = read(directory, 'runs.jsonl');
    await expect(drainGrid({ directory })).rejects.toThrow('--resume');
    const { result, events } = await drainGrid({ directory, resume: true });
    expect(result).toMatchObject({ status: 'completed', done: 6 });
    expect(events).toHaveLength(1);
    expect(read(directory, 'runs.jsonl')).toBe(before);
  });

  test('another grid in the same folder adds to plan and log', async () => {
    using folder = temporaryFolder();
    const directory = folder.path;
    await drainGrid({ directory });
    const cells = planGrid([{ experiment: sampleExperiment, axes: { N: [9] } }], { repeats: 1, seedBase: 0 });
    await drainGrid({ directory, cells });
    expect(readPlan(directory)?.cells).toHaveLength(7);
    expect(rowsOf(directory)).toHaveLength(7);
  });

  test('interrupted after a run, it goes on from the stored plan and ends as an unbroken one', async () => {
    using folder = temporaryFolder();
    using other = temporaryFolder();
    const { path: directory } = folder;
    const controller = new AbortController();
    const { result } = await drainGrid({ directory, signal: controller.signal }, ({ done }) => {
      if (done === 2) controller.abort();
    });
    expect(result).toEqual({ status: 'interrupted', total: 6, done: 2, failed: 0 });
    expect(rowsOf(directory)).toHaveLength(2);
    const stored = runGrid({ directory, registry: sampleRegistry, resume: true });
    for await (const event of stored) expect(event.total).toBe(6);
    expect(rowsOf(directory)).toHaveLength(6);
    await drainGrid({ directory: other.path });
    const comparable = (path: string) => rowsOf(path).map((row) => ({ ...row, run_id: '', ts: '' }));
    expect(comparable(directory)).toEqual(comparable(other.path));
  });

  test('one process at a time', async () => {
    using folder = temporaryFolder();
    const log = await GridLog.open(folder.path);
    await expect(drainGrid({ directory: folder.path })).rejects.toThrow(IoError);
    log.close();
    await drainGrid({ directory: folder.path });
  });

  test('an unknown experiment ends the grid before its first run', async () => {
    using folder = temporaryFolder();
    const cells = [...sampleCells(), { experiment: 'smaple', seed: 0, params: {} }];
    await expect(drainGrid({ directory: folder.path, cells })).rejects.toThrow("Did you mean 'sample'?");
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test('nothing to resume is an error', async () => {
    using folder = temporaryFolder();
    const grid = runGrid({ directory: folder.path, registry: sampleRegistry, resume: true });
    await expect(grid.next()).rejects.toThrow('--experiment');
  });
});

describe('a log that was cut', () => {
  /** Cuts `name` at `size` bytes, resumes, and expects the log to be as if nothing had happened. */
  async function cutAndResume(directory: string, name: string, size: number): Promise<void> {
    const whole = rowsOf(directory).map((row) => ({ ...row, run_id: '', ts: '' }));
    truncateSync(join(directory, name), size);
    const { events } = await drainGrid({ directory, resume: true });
    expect(events[0]).toMatchObject({ type: 'start' });
    expect(rowsOf(directory).map((row) => ({ ...row, run_id: '', ts: '' }))).toEqual(whole);
    expect(read(directory, 'runs.csv')).toBe(formatLogCsv(rowsOf(directory)));
    // Only runs that have a row keep their folder.
    const ids = new RunStore(join(directory, 'runs')).list().map(({ id }) => id);
    expect(ids.sort()).toEqual(
      rowsOf(directory)
        .map((row) => row.run_id)
        .sort(),
    );
  }

  test('is whole again after resuming, wherever the cut was', async () => {
    using folder = temporaryFolder();
    const { path: directory } = folder;
    await drainGrid({ directory });
    for (const name of ['runs.csv', 'runs.jsonl']) {
      const size = read(directory, name).length;
      // Inside the last row, before its line feed, between rows, inside the first row or header, everything.
      for (const cut of [size - 7, size - 1, read(directory, name).lastIndexOf('\n', size - 2) + 1, 9, 0]) {
        await cutAndResume(directory, name, cut);
      }
    }
  });

  test('opening it tells what was mended', async () => {
    using folder = temporaryFolder();
    const { path: directory } = folder;
    await drainGrid({ directory });
    appendFileSync(join(directory, 'runs.jsonl'), '{"format_version":1,"run_i');
    writeFileSync(join(directory, 'runs.csv'), 'something else\n');
    const log = await GridLog.open(directory);
    expect(log.repair).toEqual({ droppedLine: true, rewroteCsv: true });
    log.close();
    const again = await GridLog.open(directory);
    expect(again.repair).toEqual({ droppedLine: false, rewroteCsv: false });
    again.close();
  });

  test('folders of runs that have no row go, one that failed stays', async () => {
    using folder = temporaryFolder();
    const { path: directory } = folder;
    await drainGrid({ directory });
    const runs = join(directory, 'runs', 'sample');
    const logged = readdirSync(runs);
    mkdirSync(join(runs, 'half-made', 'checkpoints'), { recursive: true });
    const store = new RunStore(join(directory, 'runs'));
    const begin = () =>
      store.create({ experiment: 'sample', program: 'sample', seed: 0, config: {}, environment: {} });
    const stopped = await begin();
    stopped.unlock();
    const failed = await begin();
    await failed.setStatus('failed', 'no space left');
    failed.unlock();
    await drainGrid({ directory, resume: true });
    expect(readdirSync(runs).sort()).toEqual([...logged, failed.id].sort());
  });

  test('a wrong line in the middle is no cut: it is refused by name, and the lock is free again', async () => {
    using folder = temporaryFolder();
    const { path: directory } = folder;
    await drainGrid({ directory });
    const lines = read(directory, 'runs.jsonl').split('\n');
    lines[1] = '{"experiment":';
    writeFileSync(join(directory, 'runs.jsonl'), lines.join('\n'));
    await expect(GridLog.open(directory)).rejects.toThrow('runs.jsonl:2');
    expect(existsSync(join(directory, 'runs.jsonl.lock'))).toBe(false);
  });
});
