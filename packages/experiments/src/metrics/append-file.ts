/** A file that only grows: every append is complete in the operating system before the call returns. */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { IoError } from '@statespace/ssd-core';

export class AppendFile {
  readonly path: string;
  #descriptor: number | undefined;

  constructor(path: string) {
    this.path = path;
    try {
      this.#descriptor = openSync(path, 'a');
    } catch (cause) {
      throw this.#failure(cause);
    }
  }

  /** @throws {IoError} when the disk is full, for example; the file may then end in a part of `data`. */
  append(data: string | Uint8Array): void {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    try {
      for (let written = 0; written < bytes.length; ) {
        written += writeSync(this.#open(), bytes, written, bytes.length - written);
      }
    } catch (cause) {
      throw this.#failure(cause);
    }
  }

  /** Waits until the appended bytes are on the disk. */
  flush(): void {
    try {
      fsyncSync(this.#open());
    } catch (cause) {
      throw this.#failure(cause);
    }
  }

  /** Idempotent. */
  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #open(): number {
    if (this.#descriptor === undefined) throw new Error('the file was closed');
    return this.#descriptor;
  }

  #failure(cause: unknown): IoError {
    const { code, message } = cause as NodeJS.ErrnoException;
    return new IoError({
      op: 'append',
      argument: this.path,
      got: code === 'ENOSPC' ? 'no space left on the disk' : message,
      cause,
    });
  }
}
