/** JSON files: written whole or not at all. */
import { readFileSync } from 'node:fs';
import { FormatError, IoError } from '@statespace/ssd-core';
import { writeFileAtomic } from '@statespace/tensor';

/** Writes `value` as indented JSON: temporary file, fsync, rename. @throws {IoError} */
export async function writeJsonFile(path: string, value: unknown): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** @throws {IoError} when the file cannot be read. @throws {FormatError} when it is no JSON. */
export function readJsonFile(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new IoError({ op: 'readJsonFile', argument: path, got: (cause as Error).message, cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FormatError({
      op: 'readJsonFile',
      argument: path,
      wanted: 'JSON',
      got: (cause as Error).message,
      cause,
    });
  }
}
