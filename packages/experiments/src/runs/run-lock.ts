/** One process at a time trains a run: a lock file that a crash does not leave standing. */
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { IoError } from '@statespace/ssd-core';
import { mayBeAlive, type ProcessIdentity, thisProcess } from './process-identity.js';

const guardPatienceMs = 10_000;

/** A held lock; `release()` is idempotent. */
export interface RunLock {
  release(): void;
}

/**
 * Takes the lock file at `path`; the lock of a process that is gone is taken over.
 * @throws {IoError} when a living process holds it, or it cannot be written.
 */
export function acquireLock(path: string): RunLock {
  if (!tryCreate(path) && !takeOver(path)) {
    const owner = readOwner(path);
    throw new IoError({
      op: 'acquireLock',
      argument: path,
      wanted: 'a run that no other process works on',
      got: owner === undefined ? 'a held lock' : `a lock of process ${owner.pid} on ${owner.host}`,
      hint: 'Wait for that process to end, or remove the file if it is surely gone',
    });
  }
  let held = true;
  return {
    release: () => {
      // The whole folder may be gone by now.
      if (held) rmSync(path, { force: true });
      held = false;
    },
  };
}

/** Whether a living process holds the lock at `path`. */
export function isLocked(path: string): boolean {
  const owner = readOwner(path);
  return owner !== undefined && mayBeAlive(owner);
}

/** Exclusive creation is atomic; false when the file exists. */
function tryCreate(path: string): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'wx');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw lockError(path, error);
  }
  try {
    writeSync(descriptor, `${JSON.stringify(thisProcess())}\n`);
    fsyncSync(descriptor);
  } catch (error) {
    // Without an owner it would look like one that is being written.
    rmSync(path, { force: true });
    throw lockError(path, error);
  } finally {
    closeSync(descriptor);
  }
  return true;
}

function lockError(path: string, cause: unknown): IoError {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new IoError({
    op: 'acquireLock',
    argument: path,
    wanted: 'to write the file',
    got: code ?? message,
    hint:
      code === 'ENOSPC'
        ? 'The disk is full: free some space, or write to another disk'
        : 'Choose another folder',
    cause,
  });
}

/** Replaces the lock of a dead process. A second file makes sure that only one process does so at a time. */
function takeOver(path: string): boolean {
  const owner = readOwner(path);
  if (owner === undefined ? ageMs(path) < guardPatienceMs : mayBeAlive(owner)) return false;
  const guard = `${path}.takeover`;
  if (!tryCreate(guard)) {
    if (ageMs(guard) > guardPatienceMs) unlinkSync(guard);
    return false;
  }
  try {
    const still = readOwner(path);
    if (still !== undefined && mayBeAlive(still)) return false;
    unlinkSync(path);
    return tryCreate(path);
  } finally {
    unlinkSync(guard);
  }
}

function readOwner(path: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity;
  } catch {
    return undefined; // Absent, or its owner died (or is) between creating and writing it.
  }
}

function ageMs(path: string): number {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
