/** The runs of a grid: every combination of parameter values, each repeated with seeds of its own. */
import { ArgumentError } from '@statespace/ssd-core';
import { setPath } from '../../config/layers.js';
import type { PlainObject } from '../../config/yaml-file.js';
import type { Experiment } from '../../experiment/define.js';
import { checkParams } from '../../experiment/run-experiment.js';
import { canonicalJson } from '../canonical-json.js';

/** One run of a grid. */
export interface GridCell {
  /** Name of the experiment. */
  readonly experiment: string;
  readonly seed: number;
  /** All parameters that numbers depend on: defaults filled in, without seed, device and threads. */
  readonly params: PlainObject;
}

/** An experiment and what varies in it. */
export interface GridAxes {
  readonly experiment: Experiment;
  /** The same in every run. */
  readonly fixed?: PlainObject;
  /** Values by parameter; the grid is their Cartesian product, the last parameter varying fastest. */
  readonly axes?: Readonly<Record<string, readonly unknown[]>>;
}

export interface RepeatOptions {
  /** Runs of each combination. */
  readonly repeats: number;
  /** Seed of the first; the others follow. */
  readonly seedBase: number;
}

/**
 * The cells of a grid: for each experiment and combination the seeds seedBase ... seedBase + repeats - 1.
 * @throws {ConfigError} when a combination does not fit its experiment's schema.
 * @throws {ArgumentError} when an axis has no values, or two combinations are the same.
 */
export function planGrid(grid: readonly GridAxes[], { repeats, seedBase }: RepeatOptions): GridCell[] {
  const cells = grid.flatMap(({ experiment, fixed = {}, axes = {} }) =>
    combinations(axes).flatMap((combination) =>
      Array.from({ length: repeats }, (_, repeat) => {
        const seed = seedBase + repeat;
        const params = { ...experiment.preset, ...fixed };
        for (const [name, value] of combination) setPath(params, name, value);
        return cellOf(experiment, { ...params, seed });
      }),
    ),
  );
  const seen = new Set<string>();
  for (const cell of cells) {
    const key = cellKey(cell);
    if (seen.has(key)) {
      const got = `${describeCell(cell)} twice`;
      throw new ArgumentError({ op: 'planGrid', argument: 'axes', wanted: 'different combinations', got });
    }
    seen.add(key);
  }
  return cells;
}

/** Parameters that say where a run is computed, not what. */
const placeParams = new Set(['seed', 'device', 'threads']);

/** The cell that a run of `experiment` with `params` belongs to. @throws {ConfigError} */
function cellOf(experiment: Experiment, params: PlainObject): GridCell {
  const checked = checkParams(experiment, params, experiment.name);
  return { experiment: experiment.name, seed: checked.seed, params: identifyingParams(checked) };
}

/** The parameters that identify a run. */
export function identifyingParams(params: object): PlainObject {
  return Object.fromEntries(Object.entries(params).filter(([name]) => !placeParams.has(name)));
}

/** Text that is the same for cells that are the same. */
export function cellKey({ experiment, seed, params }: GridCell): string {
  return `${experiment} ${seed} ${canonicalJson(params)}`;
}

/** `exp2 (decays [0.5,0.8], T 40), seed 3`. */
export function describeCell({ experiment, seed, params }: GridCell): string {
  const values = Object.entries(params).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return `${experiment}${values.length === 0 ? '' : ` (${values.join(', ')})`}, seed ${seed}`;
}

/** For each cell the parameters in which the cells of its experiment differ. */
export function varyingParams(cells: readonly GridCell[]): PlainObject[] {
  const values = new Map<string, Set<string>>();
  for (const { experiment, params } of cells) {
    for (const [name, value] of Object.entries(params)) {
      const key = `${experiment} ${name}`;
      values.set(key, (values.get(key) ?? new Set()).add(canonicalJson(value)));
    }
  }
  return cells.map(({ experiment, params }) =>
    Object.fromEntries(
      Object.entries(params).filter(([name]) => (values.get(`${experiment} ${name}`)?.size ?? 0) > 1),
    ),
  );
}

function combinations(axes: Readonly<Record<string, readonly unknown[]>>): [string, unknown][][] {
  let found: [string, unknown][][] = [[]];
  for (const [name, values] of Object.entries(axes)) {
    if (values.length === 0) {
      throw new ArgumentError({ op: 'planGrid', argument: name, wanted: 'at least one value', got: 'none' });
    }
    found = found.flatMap((earlier) =>
      values.map((value): [string, unknown][] => [...earlier, [name, value]]),
    );
  }
  return found;
}
