/** Exit codes, and which error leads to which. */
import { StatespaceError } from '@statespace/ssd-core';
import { CommanderError } from 'commander';

export const exitCode = {
  ok: 0,
  /** A check did not hold, or the work failed. */
  failed: 1,
  /** The command, a file or an option is not right. */
  badInput: 2,
  interrupted: 130,
} as const;

const inputCodes = new Set([
  'ERR_SHAPE',
  'ERR_DTYPE',
  'ERR_ARGUMENT',
  'ERR_BACKEND_UNAVAILABLE',
  'ERR_FORMAT',
  'ERR_CHECKPOINT',
  'ERR_CONFIG',
  'ERR_DATA',
]);

/** What the system says of a path that cannot be meant. */
const wrongPath = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'EEXIST', 'ENAMETOOLONG', 'ELOOP']);

/** The exit code for an error that ended a command. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.badInput;
  if (!(error instanceof StatespaceError)) return exitCode.failed;
  if (error.code === 'ERR_ABORTED') return exitCode.interrupted;
  const system = (error.cause as NodeJS.ErrnoException | undefined)?.code ?? '';
  return inputCodes.has(error.code) || (error.code === 'ERR_IO' && wrongPath.has(system))
    ? exitCode.badInput
    : exitCode.failed;
}
