/** Checks the log of a grid: whether it is whole, agrees with itself, and says what its experiments claim. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ArgumentError } from '@statespace/ssd-core';
import { RunStore } from '../../runs/run-store.js';
import { firstDifference } from '../canonical-json.js';
import { cellKey, describeCell } from '../grid/grid-plan.js';
import { csvFile, jsonlFile, type LogRecord } from '../grid/log-record.js';
import { type GridPlan, planFile, readPlan } from '../grid/plan-file.js';
import { gridRunsFolder } from '../grid/run-grid.js';
import { nonFinitePlaces } from '../json-numbers.js';
import type { ClaimRules } from './claim-rules.js';
import type { LogFinding } from './finding.js';
import { type LogRow, readLog } from './read-log.js';

export interface LogReport {
  readonly directory: string;
  /** Rows of `runs.jsonl`. */
  readonly rows: number;
  /** Runs that were planned; absent without a plan. */
  readonly planned?: number;
  /** Rows of experiments that no rule is known for: their numbers were not judged. */
  readonly unjudged: readonly string[];
  /** Whether nothing is wrong. */
  readonly passed: boolean;
  readonly findings: readonly LogFinding[];
}

export interface CheckLogsOptions {
  /** Leave out how times grow: other work on the machine spoils it. */
  readonly ignoreTimes?: boolean;
}

/**
 * Reads the log in `directory` and reports all that is wrong with it; changes nothing.
 * @param rules what the numbers of each experiment must satisfy
 * @throws {ArgumentError} when there is no log at all.
 */
export function checkLogs(
  directory: string,
  rules: ClaimRules,
  { ignoreTimes = false }: CheckLogsOptions = {},
): LogReport {
  if (![planFile, jsonlFile, csvFile].some((file) => existsSync(join(directory, file)))) {
    const wanted = `a folder with ${jsonlFile} and ${csvFile}`;
    throw new ArgumentError({
      op: 'checkLogs',
      argument: directory,
      wanted,
      got: 'no log',
      hint: 'Write one with: statespace grid',
    });
  }
  const { jsonl, csv, findings: unreadable } = readLog(directory);
  const plan = planOf(directory);
  const rows = jsonl.filter(isWhole);
  const all = [
    ...unreadable,
    ...plan.findings,
    ...duplicates(rows),
    ...filesDiffer(jsonl, csv),
    ...(plan.plan === undefined ? [] : gridGaps(rows, plan.plan)),
    ...foldersDiffer(directory, rows),
    ...rows.flatMap((row) => breachesOf(row, rules)),
  ];
  const findings = ignoreTimes ? all.filter(({ rule }) => rule !== 'timing') : all;
  const unjudged = new Set(rows.map(({ record }) => record.experiment).filter((name) => !(name in rules)));
  return {
    directory,
    rows: jsonl.length,
    ...(plan.plan === undefined ? {} : { planned: plan.plan.cells.length }),
    unjudged: [...unjudged],
    passed: findings.length === 0,
    findings,
  };
}

type WholeRow = LogRow & { readonly record: LogRecord };

function isWhole(row: LogRow): row is WholeRow {
  return row.record !== undefined;
}

function planOf(directory: string): { plan?: GridPlan; findings: LogFinding[] } {
  const wrong = (message: string) => ({ findings: [{ rule: 'schema' as const, file: planFile, message }] });
  try {
    const plan = readPlan(directory);
    return plan === undefined
      ? wrong('there is no such file: rows that are missing at the end cannot be told')
      : { plan, findings: [] };
  } catch (error) {
    return wrong((error as Error).message);
  }
}

function duplicates(rows: readonly WholeRow[]): LogFinding[] {
  const first = new Map<string, number>();
  return rows.flatMap(({ file, line, record }) => {
    const earlier = first.get(cellKey(record));
    if (earlier === undefined) {
      first.set(cellKey(record), line);
      return [];
    }
    const message = `${describeCell(record)} stands on line ${earlier} already`;
    return [{ rule: 'duplicate' as const, file, line, field: 'seed', message }];
  });
}

/** Compares the files row by row, by the run's name. */
function filesDiffer(jsonl: readonly LogRow[], csv: readonly LogRow[]): LogFinding[] {
  const remaining = new Map<unknown, LogRow[]>();
  for (const row of csv) {
    remaining.set(row.value.run_id, [...(remaining.get(row.value.run_id) ?? []), row]);
  }
  const findings: LogFinding[] = [];
  for (const row of jsonl) {
    const partner = remaining.get(row.value.run_id)?.shift();
    if (partner === undefined) {
      findings.push(absent(row, csvFile));
      continue;
    }
    const field = firstDifference(row.value, partner.value);
    if (field === undefined) continue;
    const message = `differs from ${jsonlFile}:${row.line}`;
    findings.push({ rule: 'agreement', file: partner.file, line: partner.line, field, message });
  }
  for (const row of [...remaining.values()].flat()) findings.push(absent(row, jsonlFile));
  return findings;
}

function absent({ file, line, value }: LogRow, other: string): LogFinding {
  const message = `${other} has no row of run ${String(value.run_id)}`;
  return { rule: 'agreement', file, line, field: 'run_id', message };
}

/** Planned runs without a row, at the line where the row belongs, and rows without a plan. */
function gridGaps(rows: readonly WholeRow[], { cells }: GridPlan): LogFinding[] {
  const lines = new Map(rows.map(({ line, record }) => [cellKey(record), line]));
  const findings: LogFinding[] = [];
  let line = 0;
  for (const cell of cells) {
    const found = lines.get(cellKey(cell));
    if (found !== undefined) {
      line = found;
      continue;
    }
    findings.push({
      rule: 'grid',
      file: jsonlFile,
      line: line + 1,
      field: 'seed',
      message: `no row of the planned ${describeCell(cell)}`,
    });
  }
  const planned = new Set(cells.map(cellKey));
  for (const { file, line: at, record } of rows) {
    if (planned.has(cellKey(record))) continue;
    const message = `${describeCell(record)} was not planned`;
    findings.push({ rule: 'grid', file, line: at, field: 'params', message });
  }
  return findings;
}

/** Rows against the results in the run folders, where these are still there. */
function foldersDiffer(directory: string, rows: readonly WholeRow[]): LogFinding[] {
  const store = new RunStore(join(directory, gridRunsFolder));
  const byId = new Map(rows.map((row) => [row.record.run_id, row]));
  const findings: LogFinding[] = [];
  for (const run of store.list()) {
    const result = run.readResult();
    if (result === undefined || run.status !== 'completed') continue;
    const row = byId.get(run.id);
    if (row === undefined) {
      const message = `no row of run ${run.id}, which was completed`;
      findings.push({ rule: 'agreement', file: jsonlFile, field: 'run_id', message });
      continue;
    }
    const { experiment: name, passed, meta: metadata } = row.record;
    const stored = { name: result.name, passed: result.passed, metadata: result.metadata };
    const field = firstDifference({ name, passed, metadata }, stored);
    if (field === undefined) continue;
    findings.push({
      rule: 'agreement',
      file: row.file,
      line: row.line,
      field: field.replace(/^metadata/, 'meta').replace(/^name$/, 'experiment'),
      message: `differs from ${join(gridRunsFolder, run.experiment, run.id, 'result.json')}`,
    });
  }
  return findings;
}

/** The experiment's own verdict, and its claims on the stored numbers. */
function breachesOf({ file, line, record }: WholeRow, rules: ClaimRules): LogFinding[] {
  const { experiment, meta, passed, summary } = record;
  const at = { file, line };
  const own: LogFinding[] = passed
    ? []
    : [{ rule: 'claim', ...at, field: 'passed', message: `the run failed its checks: ${summary}` }];
  const rule = rules[experiment];
  // What is no number was told by name; a rule would only trip over it.
  if (rule === undefined || nonFinitePlaces(meta).length > 0) return own;
  return [
    ...own,
    ...rule(meta).map(({ field, message, timing }): LogFinding => {
      return { rule: timing === true ? 'timing' : 'claim', ...at, field: `meta.${field}`, message };
    }),
  ];
}
