/** Grids of the SSD-duality study as their own process: killed, interrupted, gone on with, checked. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildCli, startCli, until } from './cli-process.js';

let root: string;
beforeAll(async () => {
  expect(await buildCli()).toBe('');
}, 180_000);
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'statespace-grid-'));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const start = (...args: string[]) => startCli(root, args);
const run = (...args: string[]) => start(...args).ended;
const gridFolder = () => join(root, 'outputs/ssd-duality/grid');
const jsonl = () => join(gridFolder(), 'runs.jsonl');
/** Whole lines; the last may be cut short. */
const lines = () => (existsSync(jsonl()) ? readFileSync(jsonl(), 'utf8').split('\n').slice(0, -1) : []);
const grid = ['grid', '--experiment', 'exp1', 'exp3', '--fast', '--exp3-t-list', '8', '12', '--repeats', '4'];
const planned = 12;

describe('kill -9', () => {
  test('at several moments, then --resume: every run once, both files the same, nothing to complain about', async () => {
    let child = start(...grid);
    for (const wanted of [0, 2, 5, 9]) {
      await until(() => lines().length >= wanted && existsSync(join(gridFolder(), 'plan.json')));
      child.kill('SIGKILL');
      expect((await child.ended).signal).toBe('SIGKILL');
      expect(lines().length).toBeLessThan(planned);
      child = start('grid', '--resume');
    }
    const { code, stdout, stderr } = await child.ended;
    expect(stderr).not.toContain('error');
    expect(code).toBe(0);
    expect(stdout).toContain(`${planned} of ${planned} runs in the log, all passed`);
    const keys = lines().map((line) => {
      const { experiment, seed, params } = JSON.parse(line);
      return JSON.stringify([experiment, seed, params]);
    });
    expect(new Set(keys).size).toBe(planned);
    const checked = await run('check-logs', '--json');
    expect(JSON.parse(checked.stdout)).toMatchObject({ passed: true, rows: planned, planned, findings: [] });
    expect(checked.code).toBe(0);
    // Nothing is left of the runs that were killed.
    const folders = ['exp1-scalar-equivalence', 'exp3-rank-vs-state-dim'].flatMap((name) =>
      readdirSync(join(gridFolder(), 'runs', name)),
    );
    expect(folders.sort()).toEqual(
      lines()
        .map((line) => JSON.parse(line).run_id)
        .sort(),
    );
  }, 120_000);
});

describe('Ctrl-C', () => {
  test('stops after the present run with exit code 130, and the command it prints goes on', async () => {
    const child = start(...grid, '--out-dir', 'outputs');
    await until(() => lines().length >= 2);
    child.kill('SIGINT');
    const { code, stderr } = await child.ended;
    expect(code).toBe(130);
    expect(lines().length).toBeLessThan(planned);
    const command = /^ {2}statespace (grid --resume)$/m.exec(stderr)?.[1];
    expect(command).toBeDefined();
    const rest = await run(...(command as string).split(' '));
    expect(rest.code).toBe(0);
    expect(lines()).toHaveLength(planned);
  }, 120_000);
});

test('verify stops between two steps of an experiment', async () => {
  const child = start('verify', '--only', 'exp1', 'exp3b');
  child.stdout?.once('data', () => child.kill('SIGINT'));
  const { code, stdout, stderr } = await child.ended;
  expect(code).toBe(130);
  expect(stdout).toMatch(/^exp1 .* PASS .* s\n$/);
  expect(stderr.trimEnd().split('\n').at(-1)).toBe('Interrupted.');
}, 60_000);

test('without --resume, runs that are logged are refused; piped output is plain; a damaged log ends with 1', async () => {
  const small = ['grid', '--experiment', 'exp2', '--fast', '--exp2-n-list', '1,3', '--repeats', '2'];
  const first = await run(...small);
  expect(first.code).toBe(0);
  expect(first.stdout).toMatch(
    /^1\/4 {2}exp2-diagonal-equivalence {2}dState 1, seed 0 {2}PASS {2}\d+\.\d s {2}\(0:0\d\)$/m,
  );
  for (const control of ['\r', '\u001b']) expect(first.stdout + first.stderr).not.toContain(control);
  const again = await run(...small);
  expect(again.code).toBe(2);
  expect(again.stderr).toContain('--resume');
  expect((await run('check-logs')).code).toBe(0);
  writeFileSync(
    jsonl(),
    lines()
      .slice(0, -1)
      .join('\n')
      .concat('\n')
      .replace(/"max_abs_diff":[^,]+/, '"max_abs_diff":0.5'),
  );
  const checked = await run('check-logs');
  expect(checked.code).toBe(1);
  expect(checked.stdout).toMatch(/^runs\.jsonl:1 meta\.max_abs_diff: expected at most /m);
  expect(checked.stdout).toMatch(
    /^runs\.jsonl:4 seed: no row of the planned exp2-diagonal-equivalence .* seed 1$/m,
  );
  expect((await run('check-logs', 'nowhere')).code).toBe(2);
}, 60_000);
