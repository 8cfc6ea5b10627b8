/** What the trainings of a comparison come to: means over seeds, and differences between models seed by seed. */
import { type Summary, summarizeValues } from '../../experiment/statistics.js';
import type { RunRow } from './run-row.js';

export interface ModelSummary {
  readonly model: string;
  readonly parameters: number;
  readonly seeds: readonly number[];
  /** Least held-out loss of each seed, nats. */
  readonly bestLoss: Summary;
  /** Accuracy at that epoch, a share of one. */
  readonly bestAccuracy: Summary;
  readonly seconds: Summary;
}

/** `other` minus `model`, seed by seed; the interval is Student's. */
export interface PairedDifference {
  readonly model: string;
  readonly other: string;
  /** Those that both models have. */
  readonly seeds: readonly number[];
  /** Nats; negative where `other` is better. */
  readonly loss: Summary;
  /** A share of one; positive where `other` is better. */
  readonly accuracy: Summary;
}

/** Rows of each model, in the order in which models first come. */
export function byModel(rows: readonly RunRow[]): Map<string, RunRow[]> {
  const groups = new Map<string, RunRow[]>();
  for (const row of rows) groups.set(row.model, [...(groups.get(row.model) ?? []), row]);
  return groups;
}

export function summarizeModels(rows: readonly RunRow[]): ModelSummary[] {
  return [...byModel(rows)].map(([model, own]) => ({
    model,
    parameters: (own[0] as RunRow).parameters,
    seeds: own.map(({ seed }) => seed),
    bestLoss: summarizeValues(own.map((row) => row.best_val_loss)),
    bestAccuracy: summarizeValues(own.map((row) => row.best_val_acc)),
    seconds: summarizeValues(own.map((row) => row.seconds)),
  }));
}

/** Every model against the first; a pair without a common seed is left out. */
export function pairedDifferences(rows: readonly RunRow[]): PairedDifference[] {
  const [first, ...others] = byModel(rows);
  if (first === undefined) return [];
  return others.flatMap(([other, own]) => {
    const pairs = own.flatMap((row) => {
      const partner = first[1].find(({ seed }) => seed === row.seed);
      return partner === undefined ? [] : [[partner, row] as const];
    });
    if (pairs.length === 0) return [];
    return [
      {
        model: first[0],
        other,
        seeds: pairs.map(([{ seed }]) => seed),
        loss: summarizeValues(pairs.map(([a, b]) => b.best_val_loss - a.best_val_loss)),
        accuracy: summarizeValues(pairs.map(([a, b]) => b.best_val_acc - a.best_val_acc)),
      },
    ];
  });
}
