/** Experiments by name. */
import { ArgumentError } from '@statespace/ssd-core';
import { nearest } from '../config/suggest.js';
import type { Experiment } from './define.js';

export class ExperimentRegistry {
  readonly #experiments = new Map<string, Experiment>();

  constructor(experiments: Iterable<Experiment> = []) {
    for (const experiment of experiments) this.add(experiment);
  }

  /** @throws {ArgumentError} when the name is taken. */
  add(experiment: Experiment): void {
    if (this.#experiments.has(experiment.name)) {
      throw new ArgumentError({
        op: 'ExperimentRegistry.add',
        argument: 'name',
        wanted: 'a new name',
        got: `'${experiment.name}'`,
      });
    }
    this.#experiments.set(experiment.name, experiment);
  }

  list(): Experiment[] {
    return [...this.#experiments.values()];
  }

  has(name: string): boolean {
    return this.#experiments.has(name);
  }

  /** @throws {ArgumentError} with the nearest name when there is no such experiment. */
  get(name: string): Experiment {
    const experiment = this.#experiments.get(name);
    if (experiment !== undefined) return experiment;
    const names = [...this.#experiments.keys()];
    const near = nearest(name, names);
    throw new ArgumentError({
      op: 'experiment',
      argument: `'${name}'`,
      wanted: `one of ${names.join(', ')}`,
      got: 'no such experiment',
      ...(near === undefined ? {} : { hint: `Did you mean '${near}'?` }),
    });
  }
}
