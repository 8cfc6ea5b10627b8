/** Experiments by name. */
import { ArgumentError, nearest } from '@statespace/ssd-core';
import type { Experiment } from './define.js';

export class ExperimentRegistry {
  readonly #experiments: Experiment[] = [];
  /** By name and by alias. */
  readonly #byName = new Map<string, Experiment>();

  constructor(experiments: Iterable<Experiment> = []) {
    for (const experiment of experiments) this.add(experiment);
  }

  /** @throws {ArgumentError} when a name or alias is taken. */
  add(experiment: Experiment): void {
    const names = [experiment.name, ...(experiment.aliases ?? [])];
    const taken = names.find((name, i) => this.#byName.has(name) || names.indexOf(name) < i);
    if (taken !== undefined) {
      throw new ArgumentError({
        op: 'ExperimentRegistry.add',
        argument: 'name',
        wanted: 'a new name',
        got: `'${taken}'`,
      });
    }
    this.#experiments.push(experiment);
    for (const name of names) this.#byName.set(name, experiment);
  }

  list(): Experiment[] {
    return [...this.#experiments];
  }

  /** Whether an experiment has this name or alias. */
  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** The experiment of this name or alias. @throws {ArgumentError} with the nearest name when there is none. */
  get(name: string): Experiment {
    const experiment = this.#byName.get(name);
    if (experiment !== undefined) return experiment;
    const near = nearest(name, [...this.#byName.keys()]);
    throw new ArgumentError({
      op: 'experiment',
      argument: `'${name}'`,
      wanted: `one of ${this.#experiments.map((known) => known.name).join(', ')}`,
      got: 'no such experiment',
      ...(near === undefined ? {} : { hint: `Did you mean '${near}'?` }),
    });
  }
}
