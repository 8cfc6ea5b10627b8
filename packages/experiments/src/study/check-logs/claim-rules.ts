/** What an experiment's stored numbers must satisfy, re-applied to a row of the log. */
import type { z } from 'zod';
import { formatPath } from '../../config/parse-config.js';
import type { PlainObject } from '../../config/yaml-file.js';

/** Something that does not hold, or does not fit together. */
export interface RuleBreach {
  /** Dotted path in the metadata. */
  readonly field: string;
  readonly message: string;
  /** Of a time, which other work on the machine can spoil. */
  readonly timing?: boolean;
}

/** Reads one row's metadata and returns what is wrong with it. */
export type ClaimRule = (meta: PlainObject) => RuleBreach[];

/** Rules by the names of their experiments. */
export type ClaimRules = Readonly<Record<string, ClaimRule>>;

/** What a rule says of metadata; false and undefined say nothing. */
type Verdicts = readonly (RuleBreach | false | undefined)[];

/** A rule on metadata of a known form: where the form is another, that is the breach. */
export function claimRule<S extends z.ZodType>(schema: S, judge: (meta: z.output<S>) => Verdicts): ClaimRule {
  return (meta) => {
    const parsed = schema.safeParse(meta);
    if (!parsed.success) {
      return parsed.error.issues.map(({ path, message }) => ({ field: formatPath(path), message }));
    }
    return judge(parsed.data).filter((verdict) => verdict !== false && verdict !== undefined);
  };
}

/** A breach unless `value` is at most `limit`. */
export function atMost(field: string, value: number, limit: number): RuleBreach | false {
  return !(value <= limit) && { field, message: `expected at most ${short(limit)}, got ${short(value)}` };
}

/** A breach unless `value` is in the band. */
export function within(
  field: string,
  value: number | undefined,
  [least, most]: readonly [number, number],
): RuleBreach | false {
  if (value === undefined || (value >= least && value <= most)) return false;
  return { field, message: `expected from ${short(least)} to ${short(most)}, got ${short(value)}` };
}

/** A breach unless the whole numbers are the same. */
export function equals(field: string, value: number, wanted: number): RuleBreach | false {
  return value !== wanted && { field, message: `expected ${wanted}, got ${value}` };
}

/** Relative; the same sum in another order, on another machine. */
const recomputing = 1e-9;

/** A breach unless `value` is what the other stored numbers give. */
export function recomputed(
  field: string,
  value: number | undefined,
  wanted: number | undefined,
): RuleBreach | false {
  if (value === wanted) return false;
  const close = value !== undefined && wanted !== undefined;
  if (close && Math.abs(value - wanted) <= recomputing * Math.abs(wanted)) return false;
  const [stored, found] = [value, wanted].map((number) => (number === undefined ? 'nothing' : short(number)));
  return { field, message: `the other numbers of the row give ${found}, stored is ${stored}` };
}

function short(value: number): string {
  return String(Number(value.toPrecision(6)));
}
