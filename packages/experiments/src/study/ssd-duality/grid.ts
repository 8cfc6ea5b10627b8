/** Grids over the experiments of the SSD-duality study, by the options of the original's `run_and_log`. */
import { ArgumentError } from '@statespace/ssd-core';
import { schemaFlags } from '../../config/schema-flags.js';
import type { Experiment } from '../../experiment/define.js';
import { type GridAxes, type GridCell, planGrid, type RepeatOptions } from '../grid/grid-plan.js';
import { studyParams } from '../run-study.js';
import { shortName } from '../study.js';

/** Options of single experiments, named as on the command line. */
export interface SsdDualityAxes {
  /** Numbers of states in exp2 and exp2b, one run each. */
  readonly exp2NList?: readonly number[];
  /** Lengths in exp3, one run each. */
  readonly exp3TList?: readonly number[];
  /** Seeds of exp3's random decays, all in each run. */
  readonly exp3Seeds?: readonly number[];
  /** Number of exp3's random decays. */
  readonly exp3RandomN?: number;
  /** Time the construction of the kernel in exp4, too. */
  readonly exp4EndToEnd?: boolean;
  /** Draw exp4's figure beside the run folders, too. */
  readonly exp4Plot?: boolean;
  readonly exp4PlotPath?: string;
}

export interface SsdDualityGridOptions extends RepeatOptions, SsdDualityAxes {
  readonly experiments: readonly Experiment[];
  /** Each experiment's smaller version. */
  readonly fast?: boolean;
}

/** Values of a parameter, by its flag; one value is a parameter that stays. */
type Axis = readonly [flag: string, values: readonly unknown[]];

/** What an option means to the experiments that know it, by their short names. */
type Meaning<T> = Readonly<Record<string, (value: T) => Axis>>;

const meanings: { readonly [K in keyof SsdDualityAxes]-?: Meaning<NonNullable<SsdDualityAxes[K]>> } = {
  exp2NList: {
    exp2: (list) => ['--N', list],
    exp2b: (list) => ['--N', list],
  },
  exp3TList: { exp3: (list) => ['--T-values', list.map((seqLen) => [seqLen])] },
  exp3Seeds: { exp3: (seeds) => ['--seeds', [seeds]] },
  exp3RandomN: { exp3: (count) => ['--random-n', [count]] },
  exp4EndToEnd: { exp4: (endToEnd) => ['--end-to-end', [endToEnd]] },
  exp4Plot: { exp4: (plot) => ['--exp4-plot', [plot]] },
  exp4PlotPath: { exp4: (path) => ['--exp4-plot-path', [path]] },
};

/**
 * The cells of the grid, experiment by experiment.
 * @throws {ConfigError} for values that do not fit an experiment.
 * @throws {ArgumentError} for an option of experiments that are not in the grid.
 */
export function planSsdDualityGrid(options: SsdDualityGridOptions): GridCell[] {
  const { experiments, fast = false } = options;
  const axes = new Map(
    experiments.map((experiment) => [experiment, {} as Record<string, readonly unknown[]>]),
  );
  for (const [option, byExperiment] of Object.entries(meanings) as [
    keyof SsdDualityAxes,
    Meaning<unknown>,
  ][]) {
    const value = options[option];
    if (value === undefined) continue;
    const users = experiments.filter((experiment) => shortName(experiment) in byExperiment);
    if (users.length === 0) throw unused(option, Object.keys(byExperiment));
    for (const experiment of users) {
      const meaning = byExperiment[shortName(experiment)] as (value: unknown) => Axis;
      const [flag, values] = meaning(value);
      (axes.get(experiment) as Record<string, readonly unknown[]>)[pathOf(experiment, flag)] = values;
    }
  }
  const grid = [...axes].map(
    ([experiment, own]): GridAxes => ({ experiment, fixed: studyParams(experiment, fast), axes: own }),
  );
  return planGrid(grid, options);
}

/** The parameter that `flag` sets. */
function pathOf(experiment: Experiment, flag: string): string {
  const found = schemaFlags(experiment.params).find(({ names }) => names.includes(flag));
  if (found !== undefined) return found.path;
  const known = schemaFlags(experiment.params).flatMap(({ names }) => names);
  throw new ArgumentError({ op: experiment.name, argument: flag, wanted: `one of ${known.join(', ')}` });
}

function unused(option: string, users: readonly string[]): ArgumentError {
  return new ArgumentError({
    op: 'grid',
    argument: option,
    wanted: `${users.join(' or ')} in the grid`,
    got: 'other experiments only',
  });
}
