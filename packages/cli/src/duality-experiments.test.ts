import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { captureCli } from './testing/captured-cli.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'statespace-duality-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const run = (line: string, ...args: string[]) =>
  captureCli('run', ...line.split(' '), '--out-dir', join(folder, 'runs'), ...args);

describe('the original command lines', () => {
  test.each([
    ['exp1_scalar_equivalence --T 32 --a 0.9 --seed 1', { T: 32, a: 0.9, seed: 1 }],
    [
      'exp2_diagonal_equivalence --T 20 --seed 2 --decays 0.5 0.8',
      { decays: [0.5, 0.8], ss_order: 2, kernel_rank: 20 },
    ],
    ['exp2b_timevarying_diagonal --T 12 --N 3 --seed 3', { N: 3, mask_shape: [12, 12, 3] }],
  ])('%s', async (line, metadata) => {
    const { code, stdout } = await run(line, '--json');
    expect(code).toBe(0);
    const [{ result }] = JSON.parse(stdout).runs;
    expect(result).toMatchObject({ passed: true, dtype: 'f64', tolerance: 1e-12, metadata });
    expect(result.versions.node).toBe(process.version);
  });

  test('exp3_rank_vs_state_dim --T-values 15 30 --seeds 0 1', async () => {
    const { code, stdout } = await run('exp3_rank_vs_state_dim --T-values 15 30 --seeds 0 1', '--json');
    expect(code).toBe(0);
    const { rows } = JSON.parse(stdout).runs[0].result.metadata;
    const pairs = new Set(rows.map((row: { T: number; seed: number }) => `${row.T}, ${row.seed}`));
    expect([...pairs]).toEqual(['15, 0', '15, 1', '30, 0', '30, 1']);
  });
});

test('a figure goes where --out says, and the run where --out-dir does', async () => {
  const out = join(folder, 'ranks.svg');
  const { code, stdout } = await run('exp3b --N-values 1 2 --T 8 --seeds 0..1', '--out', out);
  expect(code).toBe(0);
  expect(readFileSync(out, 'utf8')).toContain('number of states N');
  expect(stdout).toContain('ranks.svg');
  expect(readdirSync(join(folder, 'runs'))).toEqual(['exp3b-rank-vs-state-dim']);
});

test.each([
  ['exp2 --decays 0.5 --N 3', 'either decays or dState'],
  ['exp1 --device cpu', 'one of reference'],
  ['exp3b --out ranks.jpg', '.png, .svg or .pdf'],
  ['exp3 --seeds 1 1', 'every seed once'],
  ['exp2b --T 0', 'at least 1'],
])('%s is refused', async (line, message) => {
  const { code, stderr } = await run(line);
  expect(code).toBe(2);
  expect(stderr).toContain(message);
  expect(readdirSync(folder)).toEqual([]);
});
