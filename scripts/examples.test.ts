/** Runs every program of examples/ and compares what it prints with its README. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { fromNpy } from '@statespace/native-scan/adapters';
import { selectiveScanRef } from '@statespace/ssd-core';
import { afterAll, describe, expect, test } from 'vitest';

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

  test.each(['auto', 'reference'])('prints what its README shows, backend %s', async (backend) => {
    const readme = readFileSync(join(examples, name, 'README.md'), 'utf8');
    const shown = /^```text\n([\s\S]*?)^```/m.exec(readme)?.[1];
    expect(await run(name, join(work, `${name}-${backend}`), backend)).toBe(shown);
  });
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
