/** A line of `ts_runs.jsonl`: one fit, whole. */
import { z } from 'zod';
import type { DecayParams, SeriesModelName } from './params.js';
import type { SeriesTraining } from './train-series.js';

const errors = z.array(z.number()).min(1);

export const seriesRowSchema = z.strictObject({
  task: z.string(),
  /** Run of the experiment that it belongs to. */
  run: z.string(),
  model: z.string(),
  /** State size. */
  N: z.int().min(1),
  seed: z.int().min(0),
  /** What changes the numbers, by the original's flags. */
  flags: z.record(z.string(), z.union([z.number(), z.array(z.number())])),
  parameters: z.int(),
  /** Mean squared error per epoch. */
  train_mse: errors,
  val_mse: errors,
  final_val_mse: z.number(),
  /** Least error that N states can reach; absent where it is not known. */
  floor: z.number().optional(),
  /** Of the linear model, largest first. */
  decays: z.array(z.number()).optional(),
  gains: z.array(z.number()).optional(),
  seconds: z.number(),
  /** When it ended, ISO 8601. */
  ts: z.string(),
});

export type SeriesRow = z.output<typeof seriesRowSchema>;

export const seriesTask = 'synthetic_decays';
export const seriesFolder = 'time_series_experiments';
export const seriesRunsFile = 'ts_runs.jsonl';

/** Every parameter that changes the numbers of a fit, under the flag that sets it. */
export function seriesFlags(params: DecayParams): SeriesRow['flags'] {
  return {
    epochs: params.epochs,
    T: params.seqLen,
    lambdas: params.lambdas,
    coeffs: params.coeffs,
    noise_std: params.noiseStd,
    train_samples: params.trainSamples,
    val_samples: params.valSamples,
    batch_size: params.batchSize,
    lr: params.lr,
    d_model: params.dModel,
  };
}

export function seriesRow(
  params: DecayParams,
  about: { readonly run: string; readonly model: SeriesModelName; readonly states: number },
  floor: number | undefined,
  { parameters, trainErrors, heldOutErrors, fitted, seconds }: SeriesTraining,
): SeriesRow {
  return {
    task: seriesTask,
    run: about.run,
    model: about.model,
    N: about.states,
    seed: params.seed,
    flags: seriesFlags(params),
    parameters,
    train_mse: [...trainErrors],
    val_mse: [...heldOutErrors],
    final_val_mse: heldOutErrors.at(-1) as number,
    // A block is not linear: the floors of linear models say nothing about it.
    ...(floor === undefined || fitted === undefined ? {} : { floor }),
    ...(fitted === undefined
      ? {}
      : { decays: fitted.map(({ decay }) => decay), gains: fitted.map(({ gain }) => gain) }),
    seconds,
    ts: new Date().toISOString(),
  };
}
