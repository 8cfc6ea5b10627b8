/**
 * What few bits do to a slow recurrence: float32, binary16 and bfloat16 against float64, and the remedy, state and
 * log-decay in float32. On a native device also the chunked scan in float32, by chunk size.
 */
import { z } from 'zod';
import { commonParams } from '../../config/common-params.js';
import { breathe, writeRunFigures } from '../../experiment/analysis.js';
import { defineExperiment, type ExperimentContext, type ExperimentOutcome } from '../../experiment/define.js';
import { chunkSizeErrors } from './chunk-precision.js';
import { type PrecisionRow, precisionMathematics, precisionRows } from './precision.js';
import {
  chunksAreAccurate,
  decayRoundsToOne,
  halfRemedyFails,
  measuredErrors,
  referenceIsConvolution,
  remedyHolds,
} from './precision-checks.js';
import { precisionFigure } from './precision-figure.js';
import { lengthsParam, paper } from './shared-params.js';

/** Of the chunked scan: the length at which its rounding was measured before. */
const chunkedSeqLen = 2048;
const chunkedDecay = 0.99;

const params = z.strictObject({
  ...commonParams,
  decays: z
    .array(z.number().gt(0).lt(1))
    .min(1)
    .max(16)
    .refine((decays) => new Set(decays).size === decays.length, 'expected every decay once')
    .default([0.9, 0.99, 0.999])
    .meta({ flag: '--a-values', description: 'Decays a of the state per step' }),
  seqLens: lengthsParam([64, 256, 1024, 4096], 2 ** 20),
  trials: z
    .int()
    .min(2)
    .max(1000)
    .default(10)
    .meta({ flag: '--n-trials', description: 'Input sequences, with seeds from the seed on' }),
  chunkSizes: z
    .array(z.int().min(1).max(chunkedSeqLen))
    .min(1)
    .default([16, 64, 128, 256])
    .meta({ flag: '--chunk-sizes', description: 'Steps per chunk of the native chunked scan' }),
});

export const precisionStudy = defineExperiment({
  name: 'precision-study',
  aliases: ['precision', 'precision_study'],
  summary: 'Errors of recurrences in f32, f16 and bf16 against float64, and what keeps them small',
  paper: `${paper}; an addition to its study`,
  params,
  dtype: 'f64',
  fast: { trials: 4 },
  run,
});

type Params = z.output<typeof params>;

async function run(params: Params, context: ExperimentContext): Promise<ExperimentOutcome> {
  const rows: PrecisionRow[] = [];
  for (const a of params.decays) {
    await breathe(context.signal);
    rows.push(...precisionRows({ ...params, decays: [a] }));
  }
  const native = context.device !== 'reference';
  const chunked = native
    ? chunkSizeErrors(params.chunkSizes, {
        a: chunkedDecay,
        seqLen: chunkedSeqLen,
        seed: params.seed,
        device: context.device,
      })
    : [];
  const figures = Object.fromEntries(
    params.decays.map((a) => [`precision_a_${a}`, precisionFigure(rows, { a, trials: params.trials })]),
  );
  return {
    status: 'completed',
    tolerance: 1e-12,
    details: [
      referenceIsConvolution(params.decays, precisionMathematics),
      ...measuredErrors(rows),
      decayRoundsToOne(),
      ...halfRemedyFails(rows),
      remedyHolds(rows),
      ...(native ? [chunksAreAccurate(chunked)] : []),
    ],
    metadata: {
      a_values: params.decays,
      T_values: params.seqLens,
      n_trials: params.trials,
      errors: rows,
      ...(native
        ? { chunked_T: chunkedSeqLen, chunked_a: chunkedDecay, chunked }
        : { chunked_scan: 'skipped: the reference backend computes in float64' }),
    },
    artifacts: await writeRunFigures(context.run, figures),
  };
}
