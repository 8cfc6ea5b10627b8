/** The two files of a log as they stand, with what cannot be read in them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { isPlainObject } from '../../config/layers.js';
import { formatPath } from '../../config/parse-config.js';
import { parseCsv } from '../csv.js';
import {
  csvFile,
  jsonColumns,
  jsonlFile,
  type LogRecord,
  logColumns,
  logRecordSchema,
} from '../grid/log-record.js';
import { nonFinitePlaces, parseLooseJson } from '../json-numbers.js';
import type { LogFinding } from './finding.js';

/** A row of either file. */
export interface LogRow {
  readonly file: string;
  readonly line: number;
  /** As it was read, whatever is wrong with it. */
  readonly value: Readonly<Record<string, unknown>>;
  /** Set where the row satisfies the schema. */
  readonly record?: LogRecord;
}

export interface ReadLog {
  readonly jsonl: readonly LogRow[];
  readonly csv: readonly LogRow[];
  readonly findings: readonly LogFinding[];
}

export function readLog(directory: string): ReadLog {
  const findings: LogFinding[] = [];
  const text = (file: string): string | undefined => {
    const path = join(directory, file);
    if (existsSync(path)) return readFileSync(path, 'utf8');
    findings.push({ rule: 'schema', file, message: 'there is no such file' });
    return undefined;
  };
  const jsonl = readJsonl(text(jsonlFile) ?? '', findings);
  const csv = readCsv(text(csvFile), findings);
  return { jsonl, csv, findings };
}

function readJsonl(text: string, findings: LogFinding[]): LogRow[] {
  const lines = text.split('\n');
  if (lines.pop() !== '') {
    findings.push({
      rule: 'schema',
      file: jsonlFile,
      line: lines.length + 1,
      message: 'the line was cut short; statespace grid --resume drops it and runs it again',
    });
  }
  return lines.flatMap((line, index) => readRow(jsonlFile, index + 1, () => parseLooseJson(line), findings));
}

function readCsv(text: string | undefined, findings: LogFinding[]): LogRow[] {
  if (text === undefined) return [];
  const { rows, cutShort } = parseCsv(text);
  const [header, ...body] = rows;
  const at = (line: number, message: string): void => {
    findings.push({ rule: 'schema', file: csvFile, line, message });
  };
  if (header?.cells.join() !== logColumns.join()) {
    at(1, `expected the columns ${logColumns.join(', ')}`);
    return [];
  }
  const whole = cutShort ? body.slice(0, -1) : body;
  if (cutShort) at(body.at(-1)?.line ?? 1, 'the row was cut short; statespace grid --resume writes it again');
  return whole.flatMap(({ line, cells }) => {
    if (cells.length === logColumns.length) return readRow(csvFile, line, () => fromCells(cells), findings);
    at(line, `expected ${logColumns.length} cells, got ${cells.length}`);
    return [];
  });
}

function fromCells(cells: readonly string[]): object {
  return Object.fromEntries(
    logColumns.map((column, i) => [column, fromCell(column, cells[i] as string)] as const),
  );
}

const textColumns: ReadonlySet<string> = new Set(['run_id', 'ts', 'experiment', 'summary']);

function fromCell(column: keyof LogRecord, cell: string): unknown {
  if (jsonColumns.has(column)) return parseLooseJson(cell);
  if (textColumns.has(column)) return cell;
  if (cell === 'true' || cell === 'false') return cell === 'true';
  // An empty or wrong cell stays text, which the schema refuses.
  return cell.trim() === '' || Number.isNaN(Number(cell)) ? cell : Number(cell);
}

function readRow(file: string, line: number, read: () => unknown, findings: LogFinding[]): LogRow[] {
  let value: unknown;
  try {
    value = read();
  } catch (error) {
    findings.push({ rule: 'schema', file, line, message: `no JSON: ${(error as Error).message}` });
    return [];
  }
  if (!isPlainObject(value)) {
    findings.push({ rule: 'schema', file, line, message: 'expected a JSON object' });
    return [];
  }
  const places = nonFinitePlaces(value);
  for (const { path, found } of places) {
    const message = `expected a finite number, got ${found}`;
    findings.push({ rule: 'number', file, line, field: path, message });
  }
  const parsed = logRecordSchema.safeParse(value);
  if (parsed.success) return [{ file, line, value, record: parsed.data }];
  const known = new Set(places.map(({ path }) => path));
  for (const issue of parsed.error.issues) {
    // A wrong number was told already; one is inside every field that it makes wrong.
    const field = fieldOf(issue);
    if (
      [...known].some(
        (path) => path === field || path.startsWith(`${field}.`) || path.startsWith(`${field}[`),
      )
    )
      continue;
    findings.push({ rule: 'schema', file, line, field, message: issue.message });
  }
  return [{ file, line, value }];
}

function fieldOf(issue: z.core.$ZodIssue): string {
  const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] as string] : issue.path;
  return formatPath(path);
}
