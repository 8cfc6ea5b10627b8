/** `verify`, `grid`, `check-logs` and `reproduce` in this process; kills and signals are in test/grid.process.test.ts. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { captureCli } from './testing/captured-cli.js';

let out: string;
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), 'statespace-study-'));
});
afterEach(() => {
  rmSync(out, { recursive: true, force: true });
});

describe('verify', () => {
  test('prints one line for each experiment, plain when piped, with every check on request', async () => {
    const args = ['verify', '--fast', '--only', 'exp1,exp3', '--checks', '--out-dir', out];
    const { code, stdout, stderr } = await captureCli(...args);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    const experiments = lines.filter((line) => /^exp/.test(line));
    expect(experiments).toHaveLength(2);
    expect(experiments[0]).toMatch(/^exp1 {4}3\/3 {2}A scalar SSM is 1-semiseparable .* PASS +\d+\.\d s$/);
    expect(experiments.every((line) => line.length <= 80)).toBe(true);
    expect(lines.filter((line) => line.startsWith('      passed '))).toHaveLength(8);
    expect(lines.at(-1)).toMatch(/^2 experiments in \d+\.\d s: all passed$/);
    for (const control of ['\r', '\u001b']) expect(stdout + stderr).not.toContain(control);
  });

  test('--json is one document with every check', async () => {
    const { code, stdout } = await captureCli('verify', '--only', 'exp1', '--json', '--out-dir', out);
    expect(code).toBe(0);
    const { passed, experiments } = JSON.parse(stdout);
    expect(passed).toBe(true);
    expect(experiments).toMatchObject([
      { name: 'exp1-scalar-equivalence', status: 'passed', result: { metadata: { T: 32 } } },
    ]);
    expect(existsSync(join(experiments[0].run, 'result.json'))).toBe(true);
  });

  test('an unknown experiment is refused with the nearest name', async () => {
    const { code, stderr } = await captureCli('verify', '--only', 'exp33', '--out-dir', out);
    expect(code).toBe(2);
    expect(stderr).toContain("Did you mean 'exp3'?");
  });
});

describe('grid and check-logs', () => {
  const grid = (...args: string[]) =>
    captureCli('grid', '--experiment', 'exp1', '--repeats', '2', '--out-dir', out, ...args);
  const log = () => join(out, 'ssd-duality/grid/runs.jsonl');

  test('seeds count from --seed-base, and the log is found whole', async () => {
    const { code, stdout } = await grid('--seed-base', '7', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'completed', total: 2, done: 2, failed: 0 });
    const seeds = readFileSync(log(), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).seed);
    expect(seeds).toEqual([7, 8]);
    for (const folder of [[], [join(out, 'ssd-duality/grid')], [log()]]) {
      const checked = await captureCli('check-logs', ...folder, '--out-dir', out);
      expect(checked.stdout).toMatch(/: 2 rows of 2 planned, nothing wrong$/m);
      expect(checked.code).toBe(0);
    }
  });

  test('findings name file, line and field, and end with exit code 1', async () => {
    await grid();
    writeFileSync(log(), readFileSync(log(), 'utf8').replace(/"max_abs_diff":[^,]+/, '"max_abs_diff":NaN'));
    const { code, stdout } = await captureCli('check-logs', '--out-dir', out);
    expect(code).toBe(1);
    expect(stdout).toContain('runs.jsonl:1 meta.max_abs_diff: expected a finite number, got NaN');
    const json = await captureCli('check-logs', '--out-dir', out, '--json');
    expect(JSON.parse(json.stdout).findings[0]).toMatchObject({
      rule: 'number',
      file: 'runs.jsonl',
      line: 1,
    });
  });

  test.each([
    [['--exp2-n-list', '2'], 'exp2'],
    [['--repeats', '0'], '--repeats takes an integer from 1 on'],
    [['--exp3-t-list', 'x'], 'a list such as 0,3,5..7'],
  ])('%j is bad input', async (args, message) => {
    const { code, stderr } = await grid(...args);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
    expect(existsSync(join(out, 'ssd-duality'))).toBe(false);
  });

  test('--end-to-end is --exp4-end-to-end', async () => {
    const { code, stderr } = await grid('--end-to-end');
    expect(code).toBe(2);
    expect(stderr).toContain('exp4EndToEnd');
  });
});

test('reproduce knows its studies', async () => {
  const { code, stderr } = await captureCli('reproduce', 'ssd', '--out-dir', out);
  expect(code).toBe(2);
  expect(stderr).toContain("expected ssd-duality, got 'ssd'");
});
