/** Builds what is to be built of examples/, runs every program and compares what it prints with its README. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { getBackendInfo } from '@statespace/native-scan';
import { fromNpy } from '@statespace/native-scan/adapters';
import { selectiveScanRef } from '@statespace/ssd-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const examples = fileURLToPath(new URL('../examples', import.meta.url));
const names = readdirSync(examples, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);
const work = mkdtempSync(join(tmpdir(), 'statespace-examples-'));
afterAll(() => rmSync(work, { recursive: true }));

const run = async (name: string, folder: string, backend: string) => {
  const env = { ...process.env, STATESPACE_BACKEND: backend };
  const program = join(examples, name, 'main.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [program, folder], { env });
  return stdout;
};

/** Whether an example with an addon of its own runs here. */
const has = (command: string) => spawnSync(command, ['--version']).status === 0;
const builds =
  getBackendInfo().isa !== undefined &&
  has('cmake') &&
  (process.platform === 'win32' || [process.env.CC ?? 'cc', 'gcc', 'clang'].some(has));
const isAddon = (name: string) => existsSync(join(examples, name, 'CMakeLists.txt'));

test.runIf(process.env.STATESPACE_REQUIRE_NATIVE === '1')('addons can be built where they must be', () =>
  expect(builds).toBe(true),
);

test('the list of examples is the folder', () => {
  const list = readFileSync(join(examples, 'README.md'), 'utf8');
  const listed = [...list.matchAll(/^\| \[([a-z-]+)\]\(\1\)/gm)].map((match) => match[1]);
  expect(listed.sort()).toEqual(names.sort());
});

describe.each(names)('example %s', (name) => {
  test('is a private package that starts with main.mjs', () => {
    const manifest = JSON.parse(readFileSync(join(examples, name, 'package.json'), 'utf8'));
    expect(manifest).toMatchObject({ private: true, type: 'module', scripts: { start: 'node main.mjs' } });
  });

  beforeAll(async () => {
    if (!isAddon(name) || !builds) return;
    const cwd = join(examples, name);
    await promisify(execFile)(process.execPath, ['node_modules/cmake-js/bin/cmake-js', 'compile'], { cwd });
  }, 120_000);

  test.skipIf(isAddon(name) && !builds).each(['auto', 'reference'])(
    'prints what its README shows, backend %s',
    async (backend) => {
      const readme = readFileSync(join(examples, name, 'README.md'), 'utf8');
      const shown = /^```text\n([\s\S]*?)^```/m.exec(readme)?.[1];
      expect(await run(name, join(work, `${name}-${backend}`), backend)).toBe(shown);
    },
  );
});

test('the arrays that the npy example writes are the reference scan of those that it reads', async () => {
  const folder = join(work, 'npy');
  await run('npy', folder, 'auto');
  const read = (name: string) => fromNpy(readFileSync(join(folder, `${name}.npy`)));
  const [u, delta, A, B, C] = ['u', 'delta', 'A', 'B', 'C'].map(read) as ReturnType<typeof read>[];
  const wanted = selectiveScanRef({ u, delta, A, B, C, deltaSoftplus: true } as Parameters<
    typeof selectiveScanRef
  >[0]);
  for (const [name, tensor] of [
    ['out', wanted.out],
    ['last_state', wanted.lastState],
  ] as const) {
    const { data, shape } = read(name);
    expect(shape).toEqual(tensor.shape);
    // float32 sums of 4 terms below 1, each rounded a few times over a decaying state.
    const error = Math.max(...[...data].map((value, i) => Math.abs(value - (tensor.data[i] as number))));
    expect(error, name).toBeLessThan(1e-6);
  }
});
