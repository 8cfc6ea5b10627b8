/** The addon and its memory, one of each per JavaScript environment. */
import { ArgumentError, BackendUnavailableError } from '@statespace/ssd-core';
import type { Addon } from './addon.js';
import { type LoadAttempt, loadAddon } from './loader.js';
import { MemoryPool } from './memory-pool.js';
import type { NativeRuntime } from './native-call.js';

/** The native pool takes no more. */
export const mostThreads = 256;

let runtime: NativeRuntime | undefined;

/** @throws {BackendUnavailableError} when the addon cannot be loaded. */
export function nativeRuntime(op: string): NativeRuntime {
  if (runtime !== undefined) return runtime;
  const { addon, attempts } = loadAddon();
  if (addon === undefined) throw unavailable(op, 'cpu', attempts);
  checkEnvironment(op, addon);
  runtime = { addon, pool: new MemoryPool(addon, process.env.STATESPACE_POISON === '1') };
  return runtime;
}

/** The kernels cannot complain about a variable that they cannot use. @throws {ArgumentError} */
function checkEnvironment(op: string, addon: Addon): void {
  const { STATESPACE_ISA: isa = '', STATESPACE_THREADS: threads = '' } = process.env;
  if (isa !== '' && !addon.isas().includes(isa)) {
    const wanted = `one of ${addon.isas().join(', ')} on this machine`;
    throw new ArgumentError({ op, argument: 'STATESPACE_ISA', wanted, got: isa });
  }
  if (threads !== '' && !(/^\d+$/.test(threads) && Number(threads) >= 1 && Number(threads) <= mostThreads)) {
    const wanted = `an integer from 1 to ${mostThreads}`;
    throw new ArgumentError({ op, argument: 'STATESPACE_THREADS', wanted, got: threads });
  }
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
