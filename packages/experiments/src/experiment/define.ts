/** Experiments: a name, a paper, a schema of parameters, and a function that runs one. */
import { ArgumentError } from '@statespace/ssd-core';
import type { Generator } from '@statespace/tensor';
import type { z } from 'zod';
import type { CommonParams } from '../config/common-params.js';
import type { PlainObject } from '../config/yaml-file.js';
import type { Run } from '../runs/run.js';
import type { TrainEvent } from '../train/events.js';
import type { Findings } from './result.js';

/** What an experiment is given to work with. */
export interface ExperimentContext {
  /** The run folder, locked for this process: metrics, checkpoints, figures go there. */
  readonly run: Run;
  /** Seeded with `params.seed`. */
  readonly generator: Generator;
  /** The device that was chosen, `cpu` for example. */
  readonly device: string;
  /** Whether the run goes on from its latest checkpoint. */
  readonly resume: boolean;
  readonly signal: AbortSignal;
  /** Tells the caller how it goes. */
  report(event: TrainEvent): void;
}

/** The parameters an experiment takes: a strict zod object with the fields of `commonParams`. */
export type ParamsSchema = z.ZodObject & z.ZodType<CommonParams>;

export interface ExperimentDefinition<S extends ParamsSchema> {
  /** As on the command line: lower case, dashes. */
  readonly name: string;
  /** Other names it answers to: a short form, the spelling of the original. */
  readonly aliases?: readonly string[];
  /** One sentence. */
  readonly summary: string;
  /** The paper, with its arXiv number where it has one. */
  readonly paper: string;
  readonly params: S;
  /** Parameters that differ from the schema's defaults. */
  readonly preset?: PlainObject;
  /** Parameters of a smaller version with the same claims, for a quick verification. */
  readonly fast?: PlainObject;
  /** Number format of what it computes; default `f32`. */
  readonly dtype?: 'f32' | 'f64';
  /** Rules between parameters that a schema cannot say. @throws {ConfigError} */
  check?(params: z.output<S>): void;
  /** Folder of its runs under the output folder; default its name. */
  folder?(params: z.output<S>): string;
  run(params: z.output<S>, context: ExperimentContext): Promise<ExperimentOutcome>;
}

/** What an experiment found, or word that it was interrupted and can be resumed. */
export type ExperimentOutcome =
  | ({ readonly status: 'completed' } & Findings)
  | { readonly status: 'interrupted'; readonly step: number; readonly checkpoint: string };

/** An experiment whose parameter type is not known: what registries and the command line hold. */
export type Experiment = ExperimentDefinition<ParamsSchema>;

/**
 * Checks a definition and returns it for registration.
 * @throws {ArgumentError} when a name is not of lower-case letters, digits and dashes; aliases may have underscores.
 */
export function defineExperiment<S extends ParamsSchema>(definition: ExperimentDefinition<S>): Experiment {
  const { name, aliases = [] } = definition;
  const refuse = (argument: string, wanted: string, got: string): never => {
    throw new ArgumentError({ op: 'defineExperiment', argument, wanted, got: `'${got}'` });
  };
  if (!/^[a-z][a-z0-9-]*$/.test(name)) refuse('name', 'lower-case letters, digits and dashes', name);
  const wrong = aliases.find((alias) => !/^[a-z][a-z0-9_-]*$/.test(alias));
  if (wrong !== undefined) refuse('alias', 'lower-case letters, digits, dashes and underscores', wrong);
  // Only values that its own schema has checked reach `run`.
  return Object.freeze(definition) as unknown as Experiment;
}
