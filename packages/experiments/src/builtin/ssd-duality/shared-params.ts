/** Parameters and words that the algebra experiments of the duality study share. */
import { z } from 'zod';

export const paper = 'Hu et al. 2025, On Structured State-Space Duality, arXiv:2510.04944';

/** Dense (T, T) matrices in float64: 32 MiB at this length. */
const mostLength = 2048;

/** The semiseparable order takes T singular value decompositions of matrices up to (T/2, T/2). */
export const mostOrderLength = 256;

/** `--T`. */
export function lengthParam(byDefault: number, most = mostLength) {
  return z
    .int()
    .min(1)
    .max(most)
    .default(byDefault)
    .meta({ description: 'Length T of the sequence', flag: '--T' });
}

/** `--T-values`, each once. */
export function lengthsParam(byDefault: readonly number[], most = mostOrderLength) {
  return distinct(z.int().min(2).max(most), 'length')
    .default([...byDefault])
    .meta({ description: 'Lengths T of the sequence', flag: '--T-values' });
}

/** `--N-values`, each once. */
export function statesParam(byDefault: readonly number[], most = 64) {
  return distinct(z.int().min(1).max(most), 'number of states')
    .default([...byDefault])
    .meta({ description: 'Numbers of states N', flag: '--N-values' });
}

/** Decays of constant states: at most 1 in absolute value, so that nothing grows. */
export function decaysParam() {
  return z.array(z.number().min(-1).max(1)).min(1).max(64);
}

function distinct(item: z.ZodNumber | z.ZodInt, what: string) {
  return z
    .array(item)
    .min(1)
    .refine((values) => new Set(values).size === values.length, `expected every ${what} once`);
}

/** Ends of the range that decays are spaced over. */
const [slow, fast] = [0.9, 0.15];

/** `count` evenly spaced decays in [0.15, 0.9]; one alone lies in the middle. */
export function spacedDecays(count: number): number[] {
  if (count === 1) return [(slow + fast) / 2];
  return Array.from({ length: count }, (_, n) => fast + ((slow - fast) * n) / (count - 1));
}
