/** The addon and its memory, one of each per JavaScript environment. */
import { ArgumentError, BackendUnavailableError } from '@statespace/ssd-core';
import type { Addon } from './addon.js';
import { type LoadAttempt, loadAddon } from './loader.js';
import { MemoryPool } from './memory-pool.js';
import type { NativeRuntime } from './native-call.js';

/** The native pool takes no more. */
export const mostThreads = 256;

let runtime: NativeRuntime | undefined;

/** `argument` is what asked for it by name. @throws {BackendUnavailableError} when the addon cannot be loaded. */
export function nativeRuntime(op: string, argument = 'backend'): NativeRuntime {
  if (runtime !== undefined) return runtime;
  const { addon, attempts } = loadAddon();
  if (addon === undefined) throw unavailable({ op, argument, backend: 'cpu', attempts });
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

/** The attempt that is to be mended: the first that says how. */
export function remedy(attempts: readonly LoadAttempt[]): LoadAttempt {
  return attempts.find(({ hint }) => hint !== undefined) ?? (attempts.at(-1) as LoadAttempt);
}

/** Says what was tried for `backend`. */
export function unavailable({
  op,
  argument,
  backend,
  attempts,
}: {
  readonly op: string;
  readonly argument: string;
  readonly backend: string;
  readonly attempts: readonly LoadAttempt[];
}): BackendUnavailableError {
  const tried = attempts.map(({ source, error }) => `${source} (${error ?? 'loaded'})`).join('; ');
  const { hint } = remedy(attempts);
  return new BackendUnavailableError({
    op,
    argument,
    wanted: `the backend '${backend}'`,
    got: `none; tried ${tried}`,
    hint:
      hint === undefined ? "Use the backend 'cpu' or 'reference'" : `${hint}, or use the backend 'reference'`,
  });
}
