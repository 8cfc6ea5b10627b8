/** `metrics.jsonl`: one JSON object a line, each with the step it belongs to. */
import { existsSync, readFileSync } from 'node:fs';
import { FormatError } from '@statespace/ssd-core';
import { writeFileAtomic } from '@statespace/tensor';
import { AppendFile } from './append-file.js';

/** One row of measurements. Scalars only, so that every tool can read it. */
export interface MetricRow {
  readonly step: number;
  /** `train` rows come every `logEvery` steps, `eval` rows with each held-out evaluation. */
  readonly kind: string;
  /** Seconds since 1970. */
  readonly time: number;
  readonly [name: string]: number | string;
}

/** The metric log of a run; rows reach the operating system before `append` returns. */
export class MetricLog {
  readonly path: string;
  readonly #file: AppendFile;

  private constructor(path: string) {
    this.path = path;
    this.#file = new AppendFile(path);
  }

  /**
   * Opens the log for appending.
   * @param keepThrough drops rows of later steps first (and a line cut short by a crash): a resumed run writes them anew
   */
  static async open(path: string, keepThrough = Number.POSITIVE_INFINITY): Promise<MetricLog> {
    if (existsSync(path)) {
      const kept = readMetrics(path).filter((row) => row.step <= keepThrough);
      await writeFileAtomic(path, kept.map(formatRow).join(''));
    }
    return new MetricLog(path);
  }

  /** @throws {IoError} when the disk is full. */
  append(row: MetricRow): void {
    this.#file.append(formatRow(row));
  }

  /** Waits until all rows are on the disk. */
  flush(): void {
    this.#file.flush();
  }

  close(): void {
    this.#file.close();
  }
}

function formatRow(row: MetricRow): string {
  return `${JSON.stringify(row)}\n`;
}

/**
 * All rows of a metric log. A last line without its newline is what a crash leaves and is passed over.
 * @throws {FormatError} naming the line that is no JSON object with a step.
 */
export function readMetrics(path: string): MetricRow[] {
  const text = readFileSync(path, 'utf8');
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.flatMap((line, index) => (line === '' ? [] : [parseRow(line, `${path}:${index + 1}`)]));
}

function parseRow(line: string, where: string): MetricRow {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new FormatError({ op: 'readMetrics', argument: where, wanted: 'a JSON object', got: line, cause });
  }
  if (typeof value !== 'object' || value === null || typeof (value as MetricRow).step !== 'number') {
    throw new FormatError({ op: 'readMetrics', argument: where, wanted: 'a row with a step', got: line });
  }
  return value as MetricRow;
}
