/** Files as bytes, with errors that name the file and what to do. */
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { FormatError, IoError } from '@statespace/ssd-core';
import { codeOf } from './write-file-atomic.js';

/** All bytes of a file. @throws {IoError} */
export async function readBytes(op: string, path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw readError(op, path, error);
  }
}

/** A file opened for reading. @throws {IoError} */
export async function openFile(op: string, path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    throw readError(op, path, error);
  }
}

/** `length` bytes at `position`, in memory of their own. @throws {FormatError} when the file ends before. */
export async function readRange(
  op: string,
  path: string,
  file: FileHandle,
  position: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let from = 0; from < length; ) {
    let bytesRead: number;
    try {
      ({ bytesRead } = await file.read(bytes, from, length - from, position + from));
    } catch (error) {
      throw readError(op, path, error);
    }
    if (bytesRead === 0) {
      throw new FormatError({
        op,
        argument: path,
        wanted: `${length} bytes at ${position}`,
        got: `the end of the file after ${from}`,
        hint: 'The file is truncated: copy or download it again',
      });
    }
    from += bytesRead;
  }
  return bytes;
}

function readError(op: string, path: string, cause: unknown): IoError {
  const code = codeOf(cause);
  return new IoError({
    op,
    argument: path,
    wanted: 'a file that can be read',
    got: code === 'ENOENT' ? 'no such file' : (code ?? String(cause)),
    cause,
  });
}
