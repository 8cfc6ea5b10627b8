import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArgumentError, FormatError, IoError } from '@statespace/ssd-core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { migrate } from './format-version.js';
import { Run } from './run.js';
import { createRunId } from './run-id.js';
import { acquireLock, isLocked } from './run-lock.js';
import { RunStore } from './run-store.js';

const disk = vi.hoisted(() => ({ full: false }));
vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  return {
    ...real,
    fsyncSync(file: number) {
      if (disk.full) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
      real.fsyncSync(file);
    },
  };
});

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'statespace-runs-'));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const newRun = {
  experiment: 'tiny',
  program: 'train',
  seed: 3,
  config: { seed: 3 },
  environment: { node: 'v20' },
};

describe('RunStore', () => {
  test('makes a folder with everything a run begins with', async () => {
    const run = await new RunStore(root).create(newRun);
    expect(readdirSync(run.directory).sort()).toEqual([
      'checkpoints',
      'config.yaml',
      'environment.json',
      'run.json',
      'run.lock',
    ]);
    expect(run.directory).toBe(join(root, 'tiny', run.id));
    expect(run.readConfig()).toEqual({ seed: 3 });
    expect(run.status).toBe('running');
    run.unlock();
    expect(existsSync(join(run.directory, 'run.lock'))).toBe(false);
    expect(run.status).toBe('stopped');
  });

  test('many runs started at once get folders of their own', async () => {
    const store = new RunStore(root);
    const runs = await Promise.all(Array.from({ length: 50 }, () => store.create(newRun)));
    const ids = new Set(runs.map((run) => run.id));
    expect(ids.size).toBe(50);
    expect(store.list().map((run) => run.id)).toEqual([...ids].sort());
  });

  test('finds a run by id, by a part of it, by folder and as latest', async () => {
    const store = new RunStore(root);
    const first = await store.create(newRun);
    const second = await store.create({ ...newRun, experiment: 'other' });
    expect(store.find(first.id).directory).toBe(first.directory);
    expect(store.find(first.id.slice(-6)).id).toBe(first.id);
    expect(store.find(second.directory).id).toBe(second.id);
    const [older, newer] = [first.id, second.id].sort();
    expect(store.find('latest').id).toBe(newer);
    expect(store.find('latest', ({ id }) => id === older).id).toBe(older);
    expect(store.find('latest', () => false).id).toBe(newer);
    expect(() => store.find('nothing-like-it')).toThrow(ArgumentError);
    expect(() => store.find('2')).toThrow('2 that match');
    expect(() => store.find(`${first.id.slice(0, -1)}_`)).toThrow(`Did you mean '${first.id}'?`);
  });

  test('leaves nothing behind when a folder cannot be filled', async () => {
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    const store = new RunStore(root);
    await expect(store.create({ ...newRun, environment: loop })).rejects.toThrow();
    expect(readdirSync(join(root, 'tiny'))).toEqual([]);
  });

  test('a root that is a file is an error that names it', async () => {
    writeFileSync(join(root, 'file'), '');
    await expect(new RunStore(join(root, 'file')).create(newRun)).rejects.toThrow(IoError);
  });
});

describe('run ids', () => {
  test('sort by time', () => {
    const early = createRunId(9, new Date('2024-12-31T23:59:59Z'));
    const late = createRunId(1, new Date('2025-01-01T00:00:00Z'));
    expect(early < late).toBe(true);
    expect(early).toMatch(/^20241231-235959-s9-[0-9a-f]{6}$/);
  });
});

describe('run locks', () => {
  test('a living process keeps others out', () => {
    const path = join(root, 'run.lock');
    const lock = acquireLock(path);
    expect(isLocked(path)).toBe(true);
    expect(() => acquireLock(path)).toThrow(IoError);
    lock.release();
    lock.release();
    acquireLock(path).release();
    expect(readdirSync(root)).toEqual([]);
  });

  test('one that cannot be written names the file, and leaves nothing', () => {
    const path = join(root, 'nowhere', 'run.lock');
    expect(() => acquireLock(path)).toThrow(
      /acquireLock: \S+run\.lock: expected to write the file, got ENOENT/,
    );
    disk.full = true;
    try {
      expect(() => acquireLock(join(root, 'run.lock'))).toThrow(/got ENOSPC\. The disk is full/);
    } finally {
      disk.full = false;
    }
    expect(readdirSync(root)).toEqual([]);
  });

  test('the lock of a killed process is taken over', async () => {
    const path = join(root, 'run.lock');
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await once(child, 'spawn');
    writeFileSync(path, JSON.stringify({ host: hostname(), pid: child.pid, started: null }));
    expect(() => acquireLock(path)).toThrow(`process ${child.pid}`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isLocked(path)).toBe(false);
    acquireLock(path).release();
  });

  test('a process id that was given away again does not count', () => {
    const path = join(root, 'run.lock');
    writeFileSync(path, JSON.stringify({ host: hostname(), pid: process.pid, started: 'another time' }));
    expect(isLocked(path)).toBe(process.platform !== 'linux');
  });

  test('a process of another machine may live', () => {
    const path = join(root, 'run.lock');
    writeFileSync(path, JSON.stringify({ host: 'elsewhere', pid: 1, started: null }));
    expect(() => acquireLock(path)).toThrow('process 1 on elsewhere');
  });
});

describe('format versions', () => {
  const format = {
    name: 'thing',
    version: 3,
    migrations: {
      1: (record: Record<string, unknown>) => ({ ...record, two: true }),
      2: ({ old, ...record }: Record<string, unknown>) => ({ ...record, fresh: old }),
    },
  };
  test('old records are carried forward step by step', () => {
    expect(migrate({ format: 'thing', formatVersion: 1, old: 5 }, format, 'x')).toEqual({
      format: 'thing',
      formatVersion: 3,
      two: true,
      fresh: 5,
    });
  });
  test.each([
    { format: 'other', formatVersion: 1 },
    { format: 'thing', formatVersion: 4 },
    { format: 'thing' },
    null,
  ])('%j is refused', (record) => {
    expect(() => migrate(record, format, 'x')).toThrow(FormatError);
  });
  test('a run folder of a newer release is refused', async () => {
    const run = await new RunStore(root).create(newRun);
    const path = join(run.directory, 'run.json');
    const record = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...record, formatVersion: 99 }));
    expect(() => new Run(run.directory)).toThrow('newer release');
  });
});
