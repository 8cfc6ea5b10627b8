/** A log of finished work: one JSON object a line, for one process at a time, that outlives being killed. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { FormatError, IoError } from '@statespace/ssd-core';
import { makeFolder, writeFileAtomic } from '@statespace/tensor';
import type { z } from 'zod';
import { parseConfig } from '../config/parse-config.js';
import { acquireLock, type RunLock } from '../runs/run-lock.js';
import { AppendFile } from './append-file.js';

/** Rows of one schema; a row is on the disk when `append` returns, whole or not at all. */
export class RowLog<S extends z.ZodType> {
  readonly path: string;
  readonly #rows: z.output<S>[];
  readonly #file: AppendFile;
  readonly #lock: RunLock;

  private constructor(path: string, rows: z.output<S>[], lock: RunLock) {
    this.path = path;
    this.#rows = rows;
    this.#file = new AppendFile(path);
    this.#lock = lock;
  }

  /**
   * Opens the log at `path`, which is made with its folder where it is missing. A last line that was cut short is dropped.
   * @throws {IoError} when another living process has it. @throws {FormatError} @throws {ConfigError} for a wrong line.
   */
  static async open<S extends z.ZodType>(path: string, schema: S): Promise<RowLog<S>> {
    makeFolder(dirname(path));
    const lock = acquireLock(`${path}.lock`);
    try {
      const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
      const whole = wholeLines(text);
      const rows = parseRows(whole, path, schema);
      if (whole !== text) await writeFileAtomic(path, whole);
      return new RowLog(path, rows, lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  get rows(): readonly z.output<S>[] {
    return this.#rows;
  }

  /** @throws {IoError} when the disk is full. */
  append(row: z.output<S>): void {
    // One write: a reader, or a power cut, sees all of the line or none.
    this.#file.append(`${JSON.stringify(row)}\n`);
    this.#file.flush();
    this.#rows.push(row);
  }

  /** Idempotent. */
  close(): void {
    this.#file.close();
    this.#lock.release();
  }
}

/**
 * The rows of the log at `path`, which may be growing.
 * @throws {IoError} when there is none. @throws {FormatError} @throws {ConfigError} for a wrong line.
 */
export function readRowLog<S extends z.ZodType>(path: string, schema: S): z.output<S>[] {
  try {
    return parseRows(wholeLines(readFileSync(path, 'utf8')), path, schema);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).syscall === undefined) throw cause;
    throw new IoError({
      op: 'readRowLog',
      argument: path,
      wanted: 'a log of JSON lines',
      got: (cause as Error).message,
      cause,
    });
  }
}

function wholeLines(text: string): string {
  return text.slice(0, text.lastIndexOf('\n') + 1);
}

function parseRows<S extends z.ZodType>(text: string, path: string, schema: S): z.output<S>[] {
  return text.split('\n').flatMap((line, index) => {
    if (line === '') return [];
    const where = `${path}:${index + 1}`;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      const got = line.length > 60 ? `${line.slice(0, 57)}...` : line;
      throw new FormatError({ op: 'RowLog', argument: where, wanted: 'a JSON object', got, cause });
    }
    return [parseConfig(schema, value, where)];
  });
}
