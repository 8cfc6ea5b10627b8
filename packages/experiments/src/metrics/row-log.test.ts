import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { temporaryFolder } from '../testing/tiny-training.js';
import { RowLog, readRowLog } from './row-log.js';

const schema = z.strictObject({ name: z.string(), loss: z.number() });
const rows = [
  { name: 'a\nb', loss: 0.1 },
  { name: 'c', loss: -2 },
];

describe('RowLog', () => {
  test('keeps rows, a line each, and goes on after them', async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'deep', 'rows.jsonl');
    for (const row of rows) {
      const log = await RowLog.open(path, schema);
      log.append(row);
      log.close();
      log.close();
    }
    expect(readFileSync(path, 'utf8')).toBe(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    expect(readRowLog(path, schema)).toEqual(rows);
    const again = await RowLog.open(path, schema);
    expect(again.rows).toEqual(rows);
    again.close();
  });

  test('drops a line that was cut short, at whatever byte', async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'rows.jsonl');
    const [first, second] = rows.map((row) => `${JSON.stringify(row)}\n`) as [string, string];
    for (let cut = 0; cut < second.length; cut++) {
      writeFileSync(path, first + second.slice(0, cut));
      expect(readRowLog(path, schema)).toEqual([rows[0]]);
      const log = await RowLog.open(path, schema);
      log.append(rows[1] as (typeof rows)[number]);
      log.close();
      expect(readFileSync(path, 'utf8')).toBe(first + second);
    }
  });

  test('is for one process at a time', async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'rows.jsonl');
    const log = await RowLog.open(path, schema);
    await expect(RowLog.open(path, schema)).rejects.toMatchObject({ code: 'ERR_IO' });
    log.close();
    (await RowLog.open(path, schema)).close();
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  test('names the line that is wrong, and lets the log go', async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'rows.jsonl');
    writeFileSync(path, `${JSON.stringify(rows[0])}\n{"name":"d"}\n`);
    await expect(RowLog.open(path, schema)).rejects.toThrow(/rows\.jsonl:2.*loss: expected a number/);
    appendFileSync(path, 'nonsense\n');
    expect(() => readRowLog(path, schema)).toThrow(/rows\.jsonl:2/);
    writeFileSync(path, 'nonsense\n');
    await expect(RowLog.open(path, schema)).rejects.toThrow(
      /rows\.jsonl:1: expected a JSON object, got nonsense/,
    );
    expect(() => readRowLog(join(folder.path, 'absent'), schema)).toThrow(/absent.*no such file/);
  });
});
