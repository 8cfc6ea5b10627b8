/** The measurements of a run, to `metrics.jsonl` and to TensorBoard at once. */
import { join } from 'node:path';
import { MetricLog, type MetricRow, readMetrics } from './metric-log.js';
import { scalarEvent, TensorBoardWriter } from './tensorboard-writer.js';

export const metricsFile = 'metrics.jsonl';

/** File name that TensorBoard recognises; the number is when the run began, in seconds since 1970. */
export function eventFileName(createdSeconds: number, runId: string): string {
  return `events.out.tfevents.${Math.floor(createdSeconds)}.${runId}`;
}

export class RunMetrics {
  readonly #log: MetricLog;
  readonly #board: TensorBoardWriter;

  private constructor(log: MetricLog, board: TensorBoardWriter) {
    this.#log = log;
    this.#board = board;
  }

  /** @param keepThrough rows of later steps are dropped from both files */
  static async open(
    directory: string,
    runId: string,
    createdSeconds: number,
    keepThrough?: number,
  ): Promise<RunMetrics> {
    const path = join(directory, metricsFile);
    const log = await MetricLog.open(path, keepThrough);
    const boardPath = join(directory, eventFileName(createdSeconds, runId));
    const kept = readMetrics(path).map(scalarEvent);
    return new RunMetrics(log, await TensorBoardWriter.open(boardPath, createdSeconds, kept));
  }

  /** Adds one row, stamped with the present time. @throws {IoError} when the disk is full. */
  append(kind: string, step: number, values: Readonly<Record<string, number>>): MetricRow {
    const row = { step, kind, time: Date.now() / 1000, ...values };
    this.#log.append(row);
    this.#board.append(scalarEvent(row));
    return row;
  }

  flush(): void {
    this.#log.flush();
  }

  close(): void {
    this.#log.close();
    this.#board.close();
  }
}
