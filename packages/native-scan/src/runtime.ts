/** The addon and its memory, one of each per JavaScript environment. */
import { BackendUnavailableError } from '@statespace/ssd-core';
import { type LoadAttempt, loadAddon } from './loader.js';
import { MemoryPool } from './memory-pool.js';
import type { NativeRuntime } from './native-call.js';

let runtime: NativeRuntime | undefined;

/** @throws {BackendUnavailableError} when the addon cannot be loaded. */
export function nativeRuntime(op: string): NativeRuntime {
  if (runtime !== undefined) return runtime;
  const { addon, attempts } = loadAddon();
  if (addon === undefined) throw unavailable(op, 'cpu', attempts);
  runtime = { addon, pool: new MemoryPool(addon, process.env.STATESPACE_POISON === '1') };
  return runtime;
}

/** Says what was tried for `backend`. */
export function unavailable(
  op: string,
  backend: string,
  attempts: readonly LoadAttempt[],
): BackendUnavailableError {
  const tried = attempts.map(({ source, error }) => `${source} (${error ?? 'loaded'})`).join('; ');
  return new BackendUnavailableError({
    op,
    argument: 'backend',
    wanted: `the backend '${backend}'`,
    got: `none; tried ${tried}`,
    hint:
      backend === 'cpu'
        ? "Install the package for this platform, build the addon with 'pnpm build:native', or use the backend 'reference'"
        : "Use the backend 'cpu' or 'reference'",
  });
}
