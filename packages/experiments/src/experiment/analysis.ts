/** Experiments that compute and do not train: parameters and figures that they share. */
import { dirname, join, relative, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { AbortedError } from '@statespace/ssd-core';
import type { TopLevelSpec } from 'vega-lite';
import { z } from 'zod';
import { writeFigure, writeFigureFile } from '../figures/render-figure.js';
import type { Run } from '../runs/run.js';

/** Fields of an experiment in float64 TypeScript: a seed, and the one device there is for it. */
export function analysisParams(seed = 0) {
  return {
    seed: z.int().min(0).default(seed).meta({ description: 'Seed of the random numbers' }),
    device: z
      .enum(['reference'])
      .default('reference')
      .meta({ description: 'Always reference: float64 in TypeScript' }),
  };
}

/** A list of seeds, each once. */
export function seedList(byDefault: readonly number[]) {
  return z
    .array(z.int().min(0))
    .min(1)
    .refine((seeds) => new Set(seeds).size === seeds.length, 'expected every seed once')
    .default([...byDefault]);
}

/** Where a figure goes beside the run folder; the name's ending says in which format. */
export function figurePath() {
  return z
    .string()
    .regex(/\.(png|svg|pdf)$/, 'expected a path that ends in .png, .svg or .pdf')
    .optional();
}

/** Draws `figures`, by name, into the run folder; the paths of the images from there. @throws {IoError} */
export async function writeRunFigures(
  run: Run,
  figures: Readonly<Record<string, TopLevelSpec>>,
): Promise<string[]> {
  const artifacts: string[] = [];
  for (const [name, spec] of Object.entries(figures)) {
    const files = await writeFigure(spec, run.figureDirectory(), name);
    artifacts.push(...[files.png, files.svg, files.pdf].map((path) => relative(run.directory, path)));
  }
  return artifacts;
}

/**
 * Draws a figure outside the run folder too: at `out`, or under `fileName` in the folder of all runs.
 * @returns the path as a program in the current folder would open it @throws {IoError}
 */
export async function writeSharedFigure(
  run: Run,
  spec: TopLevelSpec,
  out: string | undefined,
  fileName: string,
): Promise<string> {
  const path = out === undefined ? join(dirname(dirname(run.directory)), fileName) : resolve(out);
  await writeFigureFile(spec, path);
  return relative(process.cwd(), path);
}

/** Lets waiting events in, Ctrl-C among them. @throws {AbortedError} when `signal` has fired. */
export async function breathe(signal: AbortSignal): Promise<void> {
  await setImmediate();
  if (signal.aborted) throw new AbortedError({ op: 'experiment', cause: signal.reason });
}
