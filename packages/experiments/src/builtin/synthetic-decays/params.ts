/** Parameters of the synthetic time series, under the original's flags. */
import { ConfigError } from '@statespace/ssd-core';
import { z } from 'zod';
import { commonParams } from '../../config/common-params.js';

/** The models: the paper's linear one, and one as in a language model, where many channels mix decays. */
export const seriesModelNames = ['mamba_diag_exp', 'mamba_diag_block'] as const;
export type SeriesModelName = (typeof seriesModelNames)[number];

const count = (value: number) => z.int().min(1).default(value);

export const decayParams = z.strictObject({
  ...commonParams,
  seed: commonParams.seed.default(42),
  models: z
    .array(z.enum(seriesModelNames))
    .min(1)
    .refine((names) => new Set(names).size === names.length, 'expected every model once')
    .default(['mamba_diag_exp'])
    .meta({ description: 'mamba_diag_exp: linear, one channel; mamba_diag_block: a Mamba block around it' }),
  nValues: z
    .array(z.int().min(1))
    .min(1)
    .refine((sizes) => new Set(sizes).size === sizes.length, 'expected every N once')
    .default([1, 2])
    .meta({ description: 'State sizes N', flag: ['--N_values', '--N-values'] }),
  epochs: count(60).meta({ description: 'Passes over the training sequences' }),
  seqLen: count(100).meta({ description: 'Steps of a sequence', flag: '--T' }),
  lambdas: z
    .array(z.number().positive().lt(1))
    .min(1)
    .default([0.9, 0.5])
    .meta({ description: 'Decays of the data, in (0, 1)' }),
  coeffs: z.array(z.number()).min(1).default([1, 0.7]).meta({ description: 'Weight of each decay' }),
  noiseStd: z
    .number()
    .min(0)
    .default(1e-4)
    .meta({ description: 'Deviation of the noise on the targets', flag: ['--noise_std', '--noise-std'] }),
  trainSamples: count(1024).meta({ description: 'Training sequences' }),
  valSamples: count(256).meta({ description: 'Held-out sequences' }),
  batchSize: count(8).meta({ description: 'Sequences of a step', flag: '--batch-size' }),
  lr: z.number().positive().default(1e-2).meta({ description: 'Learning rate of Adam' }),
  dModel: count(8).meta({ description: 'mamba_diag_block: width of the block', flag: '--d-model' }),
});

export type DecayParams = z.output<typeof decayParams>;

/** Rules between parameters. @throws {ConfigError} */
export function checkDecays({ lambdas, coeffs }: DecayParams): void {
  const refuse = (argument: string, wanted: string, got: string): never => {
    throw new ConfigError({ op: 'config', argument, wanted, got });
  };
  if (coeffs.length !== lambdas.length)
    refuse('coeffs', `one for each of ${lambdas.length} decays`, String(coeffs.length));
  if (new Set(lambdas).size !== lambdas.length) refuse('lambdas', 'every decay once', lambdas.join(', '));
  if (coeffs.some((coefficient) => coefficient === 0)) refuse('coeffs', 'no weight of 0', coeffs.join(', '));
}
