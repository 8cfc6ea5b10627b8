/** A study: the experiments that stand for one paper, and where what they find differs from what it says. */
import type { PlainObject } from '../config/yaml-file.js';
import type { Experiment } from '../experiment/define.js';
import { ExperimentRegistry } from '../experiment/registry.js';
import type { Html } from './report/html.js';

/** A claim of the paper that does not hold as it is stated. */
export interface Correction {
  /** What the paper says, and where. */
  readonly claim: string;
  /** What holds instead. */
  readonly holds: string;
  /** Arguments of the command that shows it. */
  readonly command: string;
  /** Name or alias of the experiment that shows it. */
  readonly experiment: string;
  /** The numbers that show it, from the experiment's metadata; undefined when that run does not have them. */
  evidence?(metadata: PlainObject): string | undefined;
}

export interface Study {
  /** As on the command line, and the folder of its runs. */
  readonly name: string;
  readonly title: string;
  /** Authors, year, number. */
  readonly paper: string;
  /** In the order of the paper. */
  readonly experiments: readonly Experiment[];
  readonly corrections: readonly Correction[];
  /**
   * Report sections on work that other commands do, from what these left in the folder of all runs.
   * @param program what the command line calls itself
   */
  companions?(outDir: string, program: string): Promise<readonly Html[]>;
}

/** Whether `name` is the experiment's name or one of its aliases. */
export function answersTo({ name: own, aliases = [] }: Experiment, name: string): boolean {
  return own === name || aliases.includes(name);
}

/** The shortest name it answers to: `exp2`. */
export function shortName({ name, aliases = [] }: Experiment): string {
  return [name, ...aliases].reduce((short, other) => (other.length < short.length ? other : short));
}

/**
 * The experiments of `study` by name or alias, in the study's order; all of them for no names.
 * @throws {ArgumentError} with the nearest name for one that is not among them.
 */
export function selectExperiments(study: Study, names: readonly string[] = []): readonly Experiment[] {
  if (names.length === 0) return study.experiments;
  const registry = new ExperimentRegistry(study.experiments);
  const wanted = new Set(names.map((name) => registry.get(name)));
  return study.experiments.filter((experiment) => wanted.has(experiment));
}
