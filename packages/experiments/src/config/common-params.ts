/** Parameters that every experiment has: which seed, on what device, with how many threads. */
import { z } from 'zod';

/** Fields to spread into an experiment's `z.strictObject({...})`. */
export const commonParams = {
  seed: z.int().min(0).default(0).meta({ description: 'Seed of weights, data order and sampling' }),
  device: z
    .string()
    .regex(/^(auto|reference|cpu|cuda(:\d+)?)$/, 'expected auto, reference, cpu, cuda or cuda:<index>')
    .default('auto')
    .meta({ description: 'auto, reference, cpu, cuda or cuda:<index>' }),
  threads: z
    .int()
    .min(1)
    .max(1024)
    .optional()
    .meta({ description: 'CPU threads; results do not depend on it (default: what the machine allows)' }),
};

/** The values of `commonParams`. */
export interface CommonParams {
  seed: number;
  device: string;
  threads?: number | undefined;
}
