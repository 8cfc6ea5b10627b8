/** Files that are either the old one or the whole new one, whenever the process or the machine stops. */
import * as nodeFs from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { IoError } from '@statespace/ssd-core';

/** An open file, as far as writing needs it. */
export interface WritableFile {
  write(bytes: Uint8Array): Promise<{ readonly bytesWritten: number }>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** The part of `node:fs/promises` that writing uses, so that tests can run out of space. */
export interface WritableFileSystem {
  open(path: string, flags: string): Promise<WritableFile>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
}

export type FileContents = string | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

export interface WriteFileOptions {
  /** Default `node:fs/promises`. */
  readonly fileSystem?: WritableFileSystem;
}

let written = 0;

/**
 * Writes `contents` to `path`: temporary file in the same folder, fsync, rename, fsync of the folder. After an error
 * the file at `path` is as it was and the temporary one is gone.
 * @throws {IoError} naming the file and what to do. Errors of an iterable of `contents` come through as they are.
 */
export async function writeFileAtomic(
  path: string,
  contents: FileContents,
  { fileSystem = nodeFs }: WriteFileOptions = {},
): Promise<void> {
  const folder = dirname(path);
  written += 1;
  const temporary = join(
    folder,
    `.${basename(path)}.${process.pid}-${written}-${Date.now().toString(36)}.tmp`,
  );
  const file = await attempt(path, () => fileSystem.open(temporary, 'wx'));
  try {
    try {
      for await (const chunk of chunksOf(contents)) await attempt(path, () => writeAll(file, chunk));
      await attempt(path, () => file.sync());
    } finally {
      await attempt(path, () => file.close());
    }
    await attempt(path, () => fileSystem.rename(temporary, path));
  } catch (error) {
    // The first error is the one to tell; a temporary file that cannot be removed is not worth hiding it.
    await fileSystem.unlink(temporary).catch(() => undefined);
    throw error;
  }
  await syncFolder(fileSystem, folder, path);
}

async function* chunksOf(contents: FileContents): AsyncGenerator<Uint8Array> {
  if (typeof contents === 'string') yield new TextEncoder().encode(contents);
  else if (contents instanceof Uint8Array) yield contents;
  else yield* contents;
}

/** A write may take fewer bytes than it was given. */
async function writeAll(file: WritableFile, bytes: Uint8Array): Promise<void> {
  for (let from = 0; from < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes.subarray(from));
    if (bytesWritten <= 0) throw Object.assign(new Error('write took no bytes'), { code: 'ENOSPC' });
    from += bytesWritten;
  }
}

/** Without this a power cut may undo the rename. Systems that cannot sync a folder say so by these codes. */
async function syncFolder(fileSystem: WritableFileSystem, folder: string, path: string): Promise<void> {
  try {
    const handle = await fileSystem.open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP'].includes(codeOf(error) ?? '')) return;
    throw ioError(path, error);
  }
}

async function attempt<T>(path: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw ioError(path, error);
  }
}

const remedies: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full: free some space, or write to another disk; the earlier file is unchanged',
  EDQUOT: 'The disk quota is used up: free some space; the earlier file is unchanged',
  EACCES: 'No permission to write there: choose another folder',
  EPERM: 'No permission to write there: choose another folder',
  EROFS: 'That file system is read-only: choose another folder',
  ENOENT: 'The folder does not exist: make it first',
  ENOTDIR: 'Part of the path is a file: choose another folder',
  EMFILE: 'Too many files are open: close some',
};

function ioError(path: string, cause: unknown): IoError {
  const code = codeOf(cause);
  return new IoError({
    op: 'writeFileAtomic',
    argument: path,
    wanted: 'to write the file',
    got: code ?? String(cause),
    hint: remedies[code ?? ''] ?? 'The earlier file, if any, is unchanged',
    cause,
  });
}

/** The system's error code, such as `ENOSPC`. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}
