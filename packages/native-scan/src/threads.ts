/** Threads of the native kernels. One pool serves the whole process, worker_threads included. */
import { ArgumentError } from '@statespace/ssd-core';
import { addonError } from './addon-error.js';
import { loadAddon, loadUnlessUnwanted } from './loader.js';
import { mostThreads, unavailable } from './runtime.js';

/**
 * Sets how many threads work on one call, the caller included. Results do not depend on it.
 * The default is `STATESPACE_THREADS`, or else the CPUs this process may use: its affinity cut by its cgroup quota.
 * @throws {ArgumentError} unless `count` is an integer of 1 or more. @throws {BackendUnavailableError} for more than
 * one thread without the native addon: the reference kernels have one.
 */
export function setNumThreads(count: number): void {
  const op = 'setNumThreads';
  if (!Number.isInteger(count) || count < 1 || count > mostThreads) {
    const wanted = `an integer from 1 to ${mostThreads}`;
    throw new ArgumentError({
      op,
      argument: 'count',
      wanted,
      got: typeof count === 'number' ? String(count) : typeof count,
    });
  }
  const { addon, attempts } = loadAddon();
  if (addon === undefined) {
    if (count === 1) return;
    throw unavailable({ op, argument: 'count', backend: 'cpu', attempts });
  }
  const code = addon.setThreads(count);
  if (code !== 0) throw addonError(op, code, []);
}

/** Threads that work on one call; 1 without the native addon. */
export function getNumThreads(): number {
  return loadUnlessUnwanted().addon?.getThreads() ?? 1;
}
