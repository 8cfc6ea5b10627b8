/** `plan.json`: what a grid log should hold when it is complete, so that a row that is gone shows. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { parseConfig } from '../../config/parse-config.js';
import { type FileFormat, migrate } from '../../runs/format-version.js';
import { readJsonFile, writeJsonFile } from '../../runs/json-file.js';
import { cellKey, type GridCell } from './grid-plan.js';

export const planFile = 'plan.json';

export const planFormat: FileFormat = { name: 'statespace-grid-plan', version: 1, migrations: {} };

const planSchema = z.strictObject({
  format: z.literal(planFormat.name),
  formatVersion: z.literal(planFormat.version),
  /** ISO 8601, UTC. */
  createdAt: z.string(),
  cells: z.array(
    z.strictObject({ experiment: z.string(), seed: z.int(), params: z.record(z.string(), z.json()) }),
  ),
});

/** What a log was planned to hold, in the order of its runs. */
export interface GridPlan {
  readonly createdAt: string;
  readonly cells: readonly GridCell[];
}

/** The plan of the log in `directory`; undefined when there is none. @throws {FormatError} @throws {ConfigError} */
export function readPlan(directory: string): GridPlan | undefined {
  const path = join(directory, planFile);
  if (!existsSync(path)) return undefined;
  const { createdAt, cells } = parseConfig(planSchema, migrate(readJsonFile(path), planFormat, path), path);
  return { createdAt, cells };
}

/** Writes the plan, before the first of its runs begins. @throws {IoError} */
export async function writePlan(directory: string, { createdAt, cells }: GridPlan): Promise<void> {
  const { name: format, version: formatVersion } = planFormat;
  await writeJsonFile(join(directory, planFile), { format, formatVersion, createdAt, cells });
}

/** `plan` with the cells that it does not have yet after its own. */
export function extendPlan(plan: GridPlan | undefined, cells: readonly GridCell[], now: Date): GridPlan {
  const planned = plan?.cells ?? [];
  const known = new Set(planned.map(cellKey));
  return {
    createdAt: plan?.createdAt ?? now.toISOString(),
    cells: [...planned, ...cells.filter((cell) => !known.has(cellKey(cell)))],
  };
}
