/** One run in the logs of a grid: a line of `runs.jsonl`, and the same as a row of `runs.csv`. */
import { z } from 'zod';
import type { ExperimentResult } from '../../experiment/result.js';
import { formatCsvRow } from '../csv.js';

export const jsonlFile = 'runs.jsonl';
export const csvFile = 'runs.csv';

/** Version of the lines' format; each line carries it, since lines of several releases may stand in one log. */
export const logFormatVersion = 1;

export const logRecordSchema = z.strictObject({
  format_version: z.literal(logFormatVersion),
  /** Name of the run folder. */
  run_id: z.string().min(1),
  /** When the run ended, ISO 8601, UTC. */
  ts: z.iso.datetime(),
  experiment: z.string().min(1),
  seed: z.int().min(0),
  /** Every parameter that numbers depend on, seed apart. */
  params: z.record(z.string(), z.json()),
  passed: z.boolean(),
  /** What was found, or which check failed. */
  summary: z.string(),
  /** The experiment's metadata. */
  meta: z.record(z.string(), z.json()),
});

export type LogRecord = z.output<typeof logRecordSchema>;

/** Columns of the CSV file: the fields of a record, in this order. */
export const logColumns = Object.keys(logRecordSchema.shape) as (keyof LogRecord)[];

/** Cells that hold JSON text. */
export const jsonColumns: ReadonlySet<keyof LogRecord> = new Set(['params', 'meta']);

/** The row of `runs.csv`. A NaN or an infinity is null in both files, which `checkLogs` finds. */
export function formatLogRow(record: LogRecord): string {
  return formatCsvRow(
    logColumns.map((column) =>
      jsonColumns.has(column) ? JSON.stringify(record[column]) : String(record[column]),
    ),
  );
}

/** `runs.csv` as it should be beside the lines of `runs.jsonl`. */
export function formatLogCsv(records: readonly LogRecord[]): string {
  return formatCsvRow(logColumns) + records.map(formatLogRow).join('');
}

/** The checks of a result in words: what was found, or what failed. */
export function summarizeChecks({ details }: Pick<ExperimentResult, 'details'>): string {
  const failed = details.filter((check) => !check.passed && check.advisory !== true);
  if (failed.length > 0) return failed.map(({ claim, found }) => `${claim}: ${found}`).join('; ');
  return details.map(({ found }) => found).join('; ');
}
