import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ArgumentError } from '@statespace/ssd-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { drainGrid, editRows, sampleRules } from '../../testing/sample-grid.js';
import { temporaryFolder } from '../../testing/tiny-training.js';
import { formatLogCsv, type LogRecord } from '../grid/log-record.js';
import { checkLogs } from './check-logs.js';
import { formatFinding } from './finding.js';

const root = temporaryFolder();
const whole = join(root.path, 'whole');
const log = join(root.path, 'log');
beforeAll(() => drainGrid({ directory: whole }));
afterAll(() => root[Symbol.dispose]());
beforeEach(() => {
  rmSync(log, { recursive: true, force: true });
  cpSync(whole, log, { recursive: true });
  // Without run folders the log stands for itself.
  rmSync(join(log, 'runs'), { recursive: true });
});

const check = (directory = log) => checkLogs(directory, sampleRules);
const lines = (directory = log) => check(directory).findings.map(formatFinding);

/** Edits the rows, and makes the CSV file say the same. */
function editBoth(edit: (rows: LogRecord[]) => LogRecord[]): void {
  editRows(log, edit);
  const rows = readFileSync(join(log, 'runs.jsonl'), 'utf8').trimEnd().split('\n');
  writeFileSync(join(log, 'runs.csv'), formatLogCsv(rows.map((row) => JSON.parse(row))));
}

function replaceIn(name: string, from: string | RegExp, to: string): void {
  const path = join(log, name);
  const text = readFileSync(path, 'utf8');
  expect(text).toMatch(from);
  writeFileSync(path, text.replace(from, to));
}

test('a log as it was written has nothing wrong with it, with its run folders and without', () => {
  expect(check()).toMatchObject({ passed: true, rows: 6, planned: 6, unjudged: [], findings: [] });
  expect(check(whole)).toMatchObject({ passed: true, rows: 6 });
});

describe('catches', () => {
  test('a removed row, the last one too', () => {
    for (const removed of [5, 2]) {
      editBoth((rows) => rows.filter((_, i) => i !== removed));
    }
    expect(lines()).toEqual([
      expect.stringMatching(/^runs\.jsonl:3 seed: no row of the planned sample \(N 2, .*\), seed 5$/),
      expect.stringMatching(/^runs\.jsonl:5 seed: no row of the planned sample \(N 4, .*\), seed 6$/),
    ]);
  });

  test('a removed row by the run folder that is still there', () => {
    cpSync(join(whole, 'runs'), join(log, 'runs'), { recursive: true });
    editBoth((rows) => rows.slice(0, 5));
    expect(lines()).toContainEqual(
      expect.stringMatching(/^runs\.jsonl run_id: no row of run \S+, which was compl/),
    );
  });

  test('a row that is in one file only', () => {
    editRows(log, (rows) => rows.slice(1));
    expect(lines()).toContainEqual(
      expect.stringMatching(/^runs\.csv:2 run_id: runs\.jsonl has no row of run /),
    );
  });

  test.each([
    ['NaN', 'NaN'],
    ['-Infinity', '-Infinity'],
    ['null', 'null'],
  ])('a %s', (number, found) => {
    replaceIn('runs.jsonl', /"max_abs_diff":6e-16/, `"max_abs_diff":${number}`);
    replaceIn('runs.csv', /""max_abs_diff"":6e-16/, `""max_abs_diff"":${number}`);
    expect(lines().filter((line) => line.includes('finite'))).toEqual([
      `runs.jsonl:1 meta.max_abs_diff: expected a finite number, got ${found}`,
      `runs.csv:2 meta.max_abs_diff: expected a finite number, got ${found}`,
    ]);
  });

  test('a duplicate, also when parameters stand in another order', () => {
    editBoth((rows) => {
      const { params, ...row } = rows[1] as LogRecord;
      const turned = Object.fromEntries(Object.entries(params).reverse());
      return [...rows, { ...row, run_id: 'again', params: turned }];
    });
    expect(lines()).toEqual([
      expect.stringMatching(/^runs\.jsonl:7 seed: sample \(.*\), seed 6 stands on line 2 already$/),
    ]);
  });

  test('an edited value beyond tolerance', () => {
    editBoth((rows) =>
      rows.map((row, i) => (i === 3 ? { ...row, meta: { ...row.meta, max_abs_diff: 1e-3 } } : row)),
    );
    expect(lines()).toEqual(['runs.jsonl:4 meta.max_abs_diff: above 1e-12']);
  });

  test('an edited value within tolerance, by the run folder', () => {
    cpSync(join(whole, 'runs'), join(log, 'runs'), { recursive: true });
    editBoth((rows) =>
      rows.map((row, i) => (i === 3 ? { ...row, meta: { ...row.meta, ranks: [2, 3] } } : row)),
    );
    expect(lines()).toEqual([
      expect.stringMatching(/^runs\.jsonl:4 meta\.ranks\[1\]: differs from runs.sample.\S+.result\.json$/),
    ]);
  });

  test('files that disagree, naming the field', () => {
    replaceIn('runs.csv', '""ranks"":[2,2]', '""ranks"":[2,7]');
    expect(lines()).toEqual(['runs.csv:6 meta.ranks[1]: differs from runs.jsonl:3']);
  });

  test('a grid gap: a planned run that was never made', () => {
    replaceIn('plan.json', /"cells": \[/, '"cells": [{"experiment":"sample","seed":9,"params":{"N":3}},');
    expect(lines()).toEqual(['runs.jsonl:1 seed: no row of the planned sample (N 3), seed 9']);
  });

  test('a row that was not planned', () => {
    editBoth((rows) => [...rows, { ...(rows[0] as LogRecord), run_id: 'other', seed: 11 }]);
    expect(lines()).toEqual([
      expect.stringMatching(/^runs\.jsonl:7 params: sample .* seed 11 was not planned$/),
    ]);
  });

  test('a run that failed', () => {
    editBoth((rows) =>
      rows.map((row, i) => (i === 0 ? { ...row, passed: false, summary: 'off by 3' } : row)),
    );
    expect(lines()).toEqual(['runs.jsonl:1 passed: the run failed its checks: off by 3']);
  });

  test('lines that are no rows', () => {
    replaceIn('runs.jsonl', '"format_version":1', '"format_version":2');
    replaceIn('runs.jsonl', '"passed":true,"summary":"6.9', '"passed":"yes","summary":"6.9');
    replaceIn('runs.jsonl', '"seed":5,"params":{"N":2', '"sede":5,"params":{"N":2');
    const found = lines();
    expect(found).toContainEqual(expect.stringMatching(/^runs\.jsonl:1 format_version: /));
    expect(found).toContainEqual(expect.stringMatching(/^runs\.jsonl:2 passed: /));
    expect(found).toContainEqual(expect.stringMatching(/^runs\.jsonl:3 seed: /));
    expect(found).toContainEqual(expect.stringMatching(/^runs\.jsonl:3 sede: /));
  });

  test('lines that are no JSON, and lines cut short', () => {
    replaceIn('runs.jsonl', '{"format_version":1', '{format_version:1');
    replaceIn('runs.jsonl', /.{40}\n$/, '');
    replaceIn('runs.csv', /.{40}\n$/, '');
    const found = lines();
    expect(found[0]).toMatch(/^runs\.jsonl:6: the line was cut short/);
    expect(found).toContainEqual(expect.stringMatching(/^runs\.jsonl:1: no JSON: /));
    expect(found).toContainEqual(expect.stringMatching(/^runs\.csv:\d+: the row was cut short/));
  });

  test.each([
    ['runs.jsonl', 'runs.jsonl: there is no such file'],
    ['runs.csv', 'runs.csv: there is no such file'],
    ['plan.json', 'plan.json: there is no such file'],
  ])('a missing %s', (name, message) => {
    rmSync(join(log, name));
    expect(lines()).toContainEqual(expect.stringContaining(message));
  });

  test('a CSV file with other columns', () => {
    replaceIn('runs.csv', 'run_id,ts', 'ts,run_id');
    expect(lines()[0]).toMatch(/^runs\.csv:1: expected the columns format_version, run_id, ts/);
  });
});

test('how times grow is judged unless it is to be ignored', () => {
  const slow = { sample: () => [{ field: 'slope', message: 'expected 1, got 3', timing: true }] };
  expect(checkLogs(log, slow).findings[0]).toMatchObject({ rule: 'timing', line: 1, field: 'meta.slope' });
  expect(checkLogs(log, slow, { ignoreTimes: true })).toMatchObject({ passed: true, findings: [] });
});

test('numbers of an experiment without rules are said to be unjudged', () => {
  expect(checkLogs(log, {})).toMatchObject({ passed: true, unjudged: ['sample'] });
});

test('no log is an error, not a clean one', () => {
  expect(() => check(join(root.path, 'nowhere'))).toThrow(ArgumentError);
});
