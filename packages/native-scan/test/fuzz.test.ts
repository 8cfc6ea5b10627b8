/** Hostile calls in processes of their own: a crash there is a failed test here. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { describeNative } from './support.js';

const file = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const built = existsSync(file('dist/index.js'));

function run(...args: string[]): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    timeout: 240_000,
  });
  return { status, output: stdout + stderr };
}

describeNative('the built package', () => {
  test.skipIf(!built)(
    '100,000 hostile calls end in a result or a promised error',
    { timeout: 250_000 },
    () => {
      const { status, output } = run(file('fuzz/run.mjs'), '--cases', '100000', '--seed', '1');
      expect(output).toContain('100000 cases, seed 1: all ended in a result or a promised error');
      expect(status).toBe(0);
    },
  );

  test.skipIf(!built)('100,000 calls of every kind leave no memory behind', { timeout: 250_000 }, () => {
    const { status, output } = run('--expose-gc', file('fuzz/leaks.mjs'), '--calls', '100000');
    expect(output).toContain('100000 calls: memory of the addon');
    expect(status, output).toBe(0);
  });

  test.skipIf(!built)('refuses numbers of cases that are none', () => {
    expect(run(file('fuzz/run.mjs'), '--cases', 'many').status).toBe(2);
    expect(run(file('fuzz/leaks.mjs')).status).toBe(2);
  });
});
