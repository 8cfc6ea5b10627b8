/** Which lines of a log of trainings belong together. */
import { DataError } from '@statespace/ssd-core';
import { firstDifference } from '../../study/canonical-json.js';
import { type RunRow, sameFlags } from './run-row.js';

export interface RowSelection {
  readonly dataset: string;
  /** Default: all that the log has. */
  readonly models?: readonly string[];
  /** Only seeds that every model has. */
  readonly requireAllModels: boolean;
}

export interface SelectedRows {
  /** One for each model and seed, models in the order asked for, seeds ascending. */
  readonly rows: readonly RunRow[];
  /** Lines of this data set and these models that were trained with other flags than the last line. */
  readonly otherFlags: number;
  /** A flag in which they differ, such as `init`. */
  readonly differsIn?: string;
}

/**
 * The latest training of each model and seed, all with the flags of the last one: curves of different sizes are never
 * averaged.
 * @throws {DataError} when the log has none, or a model is missing, or no seed has every model where that is required.
 */
export function selectRows(log: readonly RunRow[], selection: RowSelection): SelectedRows {
  const { dataset } = selection;
  const ofDataset = log.filter((row) => row.dataset === dataset);
  if (ofDataset.length === 0)
    refuse('dataset', `a training on ${names(log.map((row) => row.dataset))}`, dataset);
  const present = [...new Set(ofDataset.map(({ model }) => model))];
  const models = selection.models ?? present;
  const missing = models.find((model) => !present.includes(model));
  if (missing !== undefined) refuse('models', `among ${names(present)}`, missing);
  const ofModels = ofDataset.filter(({ model }) => models.includes(model));
  const { flags } = ofModels.at(-1) as RunRow;
  const kept = ofModels.filter((row) => sameFlags(row.flags, flags));
  const left = ofModels.find((row) => !sameFlags(row.flags, flags));
  const differsIn = left === undefined ? undefined : firstDifference(left.flags, flags);
  const seeds = [...new Set(kept.map(({ seed }) => seed))].sort((a, b) => a - b);
  const latest = (model: string, seed: number) =>
    kept.findLast((row) => row.model === model && row.seed === seed);
  const common = seeds.filter((seed) => models.every((model) => latest(model, seed) !== undefined));
  if (selection.requireAllModels && common.length === 0)
    refuse('requireAllModels', `a seed with ${models.join(', ')}`, 'none');
  const used = selection.requireAllModels ? common : seeds;
  return {
    rows: models.flatMap((model) => used.flatMap((seed) => latest(model, seed) ?? [])),
    otherFlags: ofModels.length - kept.length,
    ...(differsIn === undefined ? {} : { differsIn }),
  };
}

function names(list: readonly string[]): string {
  return list.length === 0 ? 'anything: the log is empty' : [...new Set(list)].join(', ');
}

function refuse(argument: string, wanted: string, got: string): never {
  throw new DataError({ op: 'selectRows', argument, wanted, got });
}
