/** A TensorBoard event file of scalars, written as training goes on. */
import { writeFileAtomic } from '@statespace/tensor';
import { AppendFile } from './append-file.js';
import type { MetricRow } from './metric-log.js';
import { fileVersionRecord, type ScalarEvent, scalarRecord } from './tensorboard-event.js';

/** Appends scalar events to `events.out.tfevents.*`, readable by TensorBoard at any moment. */
export class TensorBoardWriter {
  readonly path: string;
  readonly #file: AppendFile;

  private constructor(path: string) {
    this.path = path;
    this.#file = new AppendFile(path);
  }

  /**
   * Starts the file anew with `events`: on resume the rows that count are written again, so that no step stands twice.
   * @param path should contain `tfevents`, or TensorBoard does not find it
   * @param startTime seconds since 1970
   */
  static async open(
    path: string,
    startTime: number,
    events: readonly ScalarEvent[] = [],
  ): Promise<TensorBoardWriter> {
    await writeFileAtomic(path, Buffer.concat([fileVersionRecord(startTime), ...events.map(scalarRecord)]));
    return new TensorBoardWriter(path);
  }

  /** @throws {IoError} when the disk is full. */
  append(event: ScalarEvent): void {
    this.#file.append(scalarRecord(event));
  }

  close(): void {
    this.#file.close();
  }
}

/** The numbers of a metric row as TensorBoard scalars, `train/loss` and so on. */
export function scalarEvent({ step, kind, time, ...values }: MetricRow): ScalarEvent {
  const scalars: Record<string, number> = {};
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === 'number') scalars[`${kind}/${name}`] = value;
  }
  return { wallTime: time, step, scalars };
}
