/** What an experiment's stored numbers must satisfy, re-applied to a row of the log. */
import type { PlainObject } from '../../config/yaml-file.js';

/** Something that does not hold, or does not fit together. */
export interface RuleBreach {
  /** Dotted path in the metadata. */
  readonly field: string;
  readonly message: string;
}

/** Reads one row's metadata and parameters and returns what is wrong with them. */
export type ClaimRule = (meta: PlainObject, params: PlainObject) => RuleBreach[];

/** Rules by experiment. */
export type ClaimRules = Readonly<Record<string, ClaimRule>>;
