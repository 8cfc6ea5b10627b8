/** A line of `train_runs.jsonl`: one training, whole. */
import { z } from 'zod';
import { canonicalJson } from '../../study/canonical-json.js';
import type { EpochTraining } from '../../train/epochs/train-epochs.js';
import type { ModelName } from './models.js';
import { type ComparisonParams, trainingFlags } from './params.js';

const curve = z.array(z.number()).min(1);

export const runRowSchema = z
  .strictObject({
    model: z.string(),
    dataset: z.string(),
    seed: z.int().min(0),
    /** What changes the numbers, by the original's flags. */
    flags: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
    parameters: z.int(),
    /** Held-out loss before training, nats. */
    untrained_val_loss: z.number(),
    /** Per epoch: mean training loss, held-out loss (nats) and accuracy (a share of one). */
    train_loss: curve,
    val_loss: curve,
    val_acc: curve,
    /** Epoch of the least held-out loss, from 1. */
    best_epoch: z.int().min(1),
    /** Loss and accuracy of that epoch. */
    best_val_loss: z.number(),
    best_val_acc: z.number(),
    seconds: z.number(),
    /** When it ended, ISO 8601. */
    ts: z.string(),
  })
  .refine(
    (row) => row.val_loss.length === row.train_loss.length && row.val_acc.length === row.train_loss.length,
    'expected train_loss, val_loss and val_acc of the same length',
  );

export type RunRow = z.output<typeof runRowSchema>;

/** The curves that a figure can show. */
export const curveMetrics = ['train_loss', 'val_loss', 'val_acc'] as const;
export type CurveMetric = (typeof curveMetrics)[number];

/** Beside the runs, unless --plot-dir says otherwise. */
export const comparisonFolder = 'wikitext2_comparison';
export const trainRunsFile = 'train_runs.jsonl';
export const datasetName = 'wikitext2';

export function runRow(
  params: ComparisonParams,
  model: ModelName,
  seed: number,
  { parameters, untrained, epochs, seconds }: EpochTraining,
): RunRow {
  const losses = epochs.map(({ heldOutLoss }) => heldOutLoss);
  const best = losses.indexOf(Math.min(...losses));
  const accuracies = epochs.map(({ heldOutAccuracy }) => heldOutAccuracy);
  return {
    model,
    dataset: datasetName,
    seed,
    flags: trainingFlags(params),
    parameters,
    untrained_val_loss: untrained.loss,
    train_loss: epochs.map(({ trainLoss }) => trainLoss),
    val_loss: losses,
    val_acc: accuracies,
    best_epoch: best + 1,
    best_val_loss: losses[best] as number,
    best_val_acc: accuracies[best] as number,
    seconds,
    ts: new Date().toISOString(),
  };
}

/** Whether two sets of flags lead to the same numbers. */
export function sameFlags(left: RunRow['flags'], right: RunRow['flags']): boolean {
  return canonicalJson(left) === canonicalJson(right);
}
