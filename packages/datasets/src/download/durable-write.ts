/** File-system steps that survive a crash: what is renamed into place was flushed before. */
import { mkdir, mkdtemp, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { IoError, StatespaceError } from '@statespace/ssd-core';
import { makeFolder, type WriteFileOptions, writeFileAtomic } from '@statespace/tensor';

/**
 * Makes a folder with `files` appear at `target` in one step. When another process was faster, its folder stays
 * and ours is dropped.
 * @throws {IoError} when writing fails; nothing is left behind.
 */
export async function writeFolderOnce(
  target: string,
  files: ReadonlyMap<string, Uint8Array>,
  options: WriteFileOptions = {},
): Promise<void> {
  await withTemporaryFolder(dirname(target), async (folder) => {
    const staged = join(folder, 'content');
    await mkdir(staged);
    for (const [name, bytes] of files) await writeFileAtomic(join(staged, name), bytes, options);
    try {
      await rename(staged, target);
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code;
      if (code === 'ENOTEMPTY' || code === 'EEXIST' || (code === 'EPERM' && process.platform === 'win32'))
        return;
      throw cause;
    }
    await flushFolder(dirname(target));
  });
}

/**
 * Runs `use` with a fresh folder below `parent` (made if needed) and removes it afterwards, whatever happened.
 * @throws {IoError} in place of a bare file-system error.
 */
export async function withTemporaryFolder<T>(
  parent: string,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  let folder: string | undefined;
  try {
    makeFolder(parent);
    folder = await mkdtemp(join(parent, '.partial-'));
    return await use(folder);
  } catch (cause) {
    throw asIoError(cause, parent);
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

/** Flushes the folder entry itself, so that a rename survives a power cut; Windows has no such call. */
async function flushFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

const remedies: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full: free some space, or set STATESPACE_CACHE to a folder on another disk',
  EDQUOT: 'The disk quota is used up: free some space, or set STATESPACE_CACHE to another folder',
  EACCES: 'There is no permission: set STATESPACE_CACHE to a folder that you may write to',
  EPERM: 'There is no permission: set STATESPACE_CACHE to a folder that you may write to',
  EROFS: 'The file system is read-only: set STATESPACE_CACHE to a folder that you may write to',
};

function asIoError(cause: unknown, path: string): unknown {
  const code = (cause as NodeJS.ErrnoException | null)?.code;
  if (cause instanceof StatespaceError || !(cause instanceof Error) || typeof code !== 'string') return cause;
  if (!('syscall' in cause)) return cause;
  const hint = remedies[code];
  return new IoError({
    op: 'writeCache',
    argument: path,
    wanted: 'a folder to write to',
    got: cause.message,
    cause,
    ...(hint === undefined ? {} : { hint }),
  });
}
