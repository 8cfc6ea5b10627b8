/** Folders for results. */
import { mkdirSync } from 'node:fs';
import { IoError } from '@statespace/ssd-core';

/** Makes the folder at `path` and those above it, where they are missing. @throws {IoError} */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (cause) {
    throw new IoError({ op: 'makeFolder', argument: path, got: (cause as Error).message, cause });
  }
}
