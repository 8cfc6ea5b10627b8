/**
 * The log of a grid in two files, `runs.jsonl` and `runs.csv`. The JSON lines are the truth: a row is written there and
 * on the disk before the same row goes to the CSV file, and opening the log makes the CSV file say what they say. Killed
 * at any moment, the log loses no row that `append` returned for.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '@statespace/tensor';
import { AppendFile } from '../../metrics/append-file.js';
import { RowLog } from '../../metrics/row-log.js';
import { cellKey, type GridCell } from './grid-plan.js';
import {
  csvFile,
  formatLogCsv,
  formatLogRow,
  jsonlFile,
  type LogRecord,
  logRecordSchema,
} from './log-record.js';

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
  readonly #lines: RowLog<typeof logRecordSchema>;
  readonly #csv: AppendFile;
  readonly #keys: Set<string>;

  private constructor(directory: string, lines: RowLog<typeof logRecordSchema>, repair: LogRepair) {
    this.directory = directory;
    this.repair = repair;
    this.#lines = lines;
    this.#csv = new AppendFile(join(directory, csvFile));
    this.#keys = new Set(lines.rows.map(cellKey));
  }

  /**
   * Opens the log in `directory`, which is made where it is missing, for this process alone.
   * @throws {IoError} when another living process has it. @throws {FormatError} @throws {ConfigError} for a wrong line.
   */
  static async open(directory: string): Promise<GridLog> {
    const path = join(directory, jsonlFile);
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    const lines = await RowLog.open(path, logRecordSchema);
    try {
      const droppedLine = text !== '' && !text.endsWith('\n');
      return new GridLog(directory, lines, {
        droppedLine,
        rewroteCsv: await updateCsv(directory, lines.rows),
      });
    } catch (error) {
      lines.close();
      throw error;
    }
  }

  get records(): readonly LogRecord[] {
    return this.#lines.rows;
  }

  /** Whether the log has a row of this cell. */
  has(cell: GridCell): boolean {
    return this.#keys.has(cellKey(cell));
  }

  /** Adds a row to both files. @throws {IoError} when the disk is full. */
  append(record: LogRecord): void {
    this.#lines.append(record);
    this.#csv.append(formatLogRow(record));
    this.#keys.add(cellKey(record));
  }

  /** Idempotent. */
  close(): void {
    this.#lines.close();
    this.#csv.close();
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
