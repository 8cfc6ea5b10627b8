/** A grid of a small experiment, for tests of logs. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { defineExperiment } from '../experiment/define.js';
import { ExperimentRegistry } from '../experiment/registry.js';
import type { ClaimRules } from '../study/check-logs/claim-rules.js';
import { type GridCell, planGrid } from '../study/grid/grid-plan.js';
import { jsonlFile, type LogRecord } from '../study/grid/log-record.js';
import {
  type GridOptions,
  type GridResult,
  type GridRun,
  type GridStart,
  runGrid,
} from '../study/grid/run-grid.js';

const claim = 'the difference is at most 1e-12';

/** Its difference is (N + seed) 1e-16. */
export const sampleExperiment = defineExperiment({
  name: 'sample',
  aliases: ['sample_long'],
  summary: 'a sample',
  paper: 'none',
  params: z.strictObject({
    seed: z.int().default(0),
    device: z.enum(['reference']).default('reference'),
    N: z.int().default(1),
    decays: z.array(z.number()).default([0.5, 0.25]),
    note: z.string().default('plain, "quoted"'),
  }),
  run: async ({ N, seed, note }) => {
    const difference = (N + seed) * 1e-16;
    return {
      status: 'completed',
      details: [{ claim, passed: true, found: `${difference}\nwith ${note}` }],
      metadata: { N, max_abs_diff: difference, ranks: [N, N] },
      artifacts: [],
    };
  },
});

export const sampleRegistry = new ExperimentRegistry([sampleExperiment]);

export const sampleRules: ClaimRules = {
  sample: ({ max_abs_diff: difference }) =>
    (difference as number) <= 1e-12 ? [] : [{ field: 'max_abs_diff', message: 'above 1e-12' }],
};

/** N = 1, 2, 4 with the seeds 5 and 6. */
export function sampleCells(): GridCell[] {
  const grid = [{ experiment: sampleExperiment, axes: { N: [1, 2, 4] } }];
  return planGrid(grid, { repeats: 2, seedBase: 5 });
}

/** Runs a grid to its end. */
export async function drainGrid(
  options: Partial<GridOptions> & Pick<GridOptions, 'directory'>,
  onEvent: (event: GridStart | GridRun) => void = () => {},
): Promise<{ events: (GridStart | GridRun)[]; result: GridResult }> {
  const events: (GridStart | GridRun)[] = [];
  const grid = runGrid({ registry: sampleRegistry, cells: sampleCells(), ...options });
  for (;;) {
    const next = await grid.next();
    if (next.done === true) return { events, result: next.value };
    events.push(next.value);
    onEvent(next.value);
  }
}

/** Rewrites the rows of the JSON lines. */
export function editRows(directory: string, edit: (rows: LogRecord[]) => readonly object[]): void {
  const path = join(directory, jsonlFile);
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  const rows = edit(lines.map((line) => JSON.parse(line) as LogRecord));
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}
