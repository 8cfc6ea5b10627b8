/** What is wrong with a log, and where. */

/** Kinds of faults. */
export type LogRule =
  /** A file that is missing or no log, a line that is no row, a field that is missing or of the wrong type. */
  | 'schema'
  /** A NaN, an infinity, or the null that stands for one. */
  | 'number'
  /** The same experiment, parameters and seed in two rows. */
  | 'duplicate'
  /** The two files, or the log and a run folder, do not say the same. */
  | 'agreement'
  /** A planned run has no row, or a row was not planned. */
  | 'grid'
  /** A stored number does not satisfy what its experiment claims. */
  | 'claim'
  /** A time does not grow as its experiment claims. */
  | 'timing';

export interface LogFinding {
  readonly rule: LogRule;
  /** File name in the folder of the log. */
  readonly file: string;
  /** From 1; of a missing row: where it belongs. */
  readonly line?: number;
  /** Dotted path in the row, `meta.max_abs_diff`. */
  readonly field?: string;
  readonly message: string;
}

/** `runs.jsonl:3 meta.max_abs_diff: ...` */
export function formatFinding({ file, line, field, message }: LogFinding): string {
  const where = line === undefined ? file : `${file}:${line}`;
  return `${where}${field === undefined ? '' : ` ${field}`}: ${message}`;
}
