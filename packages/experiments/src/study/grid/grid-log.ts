/**
 * The log of a grid in two files, `runs.jsonl` and `runs.csv`. The JSON lines are the truth: a row is written there and
 * on the disk before the same row goes to the CSV file, and opening the log makes the CSV file say what they say. Killed
 * at any moment, the log loses no row that `append` returned for.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FormatError, IoError } from '@statespace/ssd-core';
import { writeFileAtomic } from '@statespace/tensor';
import { parseConfig } from '../../config/parse-config.js';
import { AppendFile } from '../../metrics/append-file.js';
import { acquireLock, type RunLock } from '../../runs/run-lock.js';
import { cellKey, type GridCell } from './grid-plan.js';
import {
  csvFile,
  formatLogCsv,
  formatLogLine,
  formatLogRow,
  jsonlFile,
  type LogRecord,
  logRecordSchema,
} from './log-record.js';

const lockFile = 'grid.lock';

/** What opening a log found to mend. */
export interface LogRepair {
  /** Whether the last line of `runs.jsonl` was cut short, and dropped. */
  readonly droppedLine: boolean;
  /** Whether `runs.csv` was not what the lines say, and was written anew. */
  readonly rewroteCsv: boolean;
}

export class GridLog {
  readonly directory: string;
  readonly repair: LogRepair;
  readonly #records: LogRecord[];
  readonly #keys: Set<string>;
  readonly #jsonl: AppendFile;
  readonly #csv: AppendFile;
  readonly #lock: RunLock;

  private constructor(directory: string, lock: RunLock, records: LogRecord[], repair: LogRepair) {
    this.directory = directory;
    this.repair = repair;
    this.#lock = lock;
    this.#records = records;
    this.#keys = new Set(records.map(cellKey));
    this.#jsonl = new AppendFile(join(directory, jsonlFile));
    this.#csv = new AppendFile(join(directory, csvFile));
  }

  /**
   * Opens the log in `directory`, which is made where it is missing, for this process alone.
   * @throws {IoError} when another living process has it. @throws {FormatError} @throws {ConfigError} for a wrong line.
   */
  static async open(directory: string): Promise<GridLog> {
    try {
      mkdirSync(directory, { recursive: true });
    } catch (cause) {
      throw new IoError({ op: 'GridLog', argument: directory, got: (cause as Error).message, cause });
    }
    const lock = acquireLock(join(directory, lockFile));
    try {
      const jsonl = join(directory, jsonlFile);
      const text = existsSync(jsonl) ? readFileSync(jsonl, 'utf8') : '';
      const whole = text.slice(0, text.lastIndexOf('\n') + 1);
      const records = readRecords(whole, jsonl);
      if (whole !== text) await writeFileAtomic(jsonl, whole);
      const repair = { droppedLine: whole !== text, rewroteCsv: await updateCsv(directory, records) };
      return new GridLog(directory, lock, records, repair);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  get records(): readonly LogRecord[] {
    return this.#records;
  }

  /** Whether the log has a row of this cell. */
  has(cell: GridCell): boolean {
    return this.#keys.has(cellKey(cell));
  }

  /** Adds a row to both files. @throws {IoError} when the disk is full. */
  append(record: LogRecord): void {
    this.#jsonl.append(formatLogLine(record));
    this.#jsonl.flush();
    this.#csv.append(formatLogRow(record));
    this.#records.push(record);
    this.#keys.add(cellKey(record));
  }

  /** Idempotent. */
  close(): void {
    this.#jsonl.close();
    this.#csv.close();
    this.#lock.release();
  }
}

/** Makes the CSV file say what `records` say; whether it did not, the case of no rows in no file apart. */
async function updateCsv(directory: string, records: readonly LogRecord[]): Promise<boolean> {
  const path = join(directory, csvFile);
  const present = existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  const wanted = formatLogCsv(records);
  if (present === wanted) return false;
  await writeFileAtomic(path, wanted);
  return present !== undefined || records.length > 0;
}

function readRecords(text: string, path: string): LogRecord[] {
  return text.split('\n').flatMap((line, index) => {
    if (line === '') return [];
    const where = `${path}:${index + 1}`;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      throw new FormatError({
        op: 'GridLog',
        argument: where,
        wanted: 'a JSON object',
        got: line.length > 60 ? `${line.slice(0, 57)}...` : line,
        hint: 'statespace check-logs tells what is wrong with a log',
        cause,
      });
    }
    return [parseConfig(logRecordSchema, value, where)];
  });
}
