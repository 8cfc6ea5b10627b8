/** Folders for files. */
import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { IoError } from '@statespace/ssd-core';
import { codeOf } from './write-file-atomic.js';

/**
 * Makes the folder at `path` and those above it, where they are missing. Not by `recursive` of `mkdir`, which on
 * Node 20 never returns where a system makes no folder below one that is there, as below /proc.
 * @throws {IoError} naming the folder.
 */
export function makeFolder(path: string): void {
  try {
    makeBelow(resolve(path));
  } catch (cause) {
    throw new IoError({
      op: 'makeFolder',
      argument: path,
      wanted: 'to make the folder',
      got: codeOf(cause) ?? String(cause),
      hint: 'Choose another folder',
      cause,
    });
  }
}

function makeBelow(path: string): void {
  const parent = dirname(path);
  try {
    makeOne(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || parent === path) throw error;
    makeBelow(parent);
    makeOne(path);
  }
}

function makeOne(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    // Which code an existing folder gets depends on the system and on what may be written there.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  }
}
