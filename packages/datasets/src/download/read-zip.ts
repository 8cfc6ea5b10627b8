/** Reading chosen files out of a zip archive held in memory. */
import { DataError } from '@statespace/ssd-core';
import { unzipSync } from 'fflate';

export interface ReadZipOptions {
  /** Archive paths to unpack, as written in the archive. */
  readonly wanted: readonly string[];
  /** Largest unpacked size of one file, bytes. */
  readonly maxBytes: number;
  /** Named in messages. */
  readonly source: string;
}

/**
 * The unpacked bytes of the wanted files. Nothing is written to disk, and an archive that names any file outside
 * its own folder is refused as a whole.
 * @throws {DataError} when the archive is damaged, names an unsafe path, lacks a file, or a file is too large.
 */
export function readZip(
  archive: Uint8Array,
  { wanted, maxBytes, source }: ReadZipOptions,
): Map<string, Uint8Array> {
  const fail = (wanted: string, got: string, cause?: unknown) =>
    new DataError({ op: 'readZip', argument: source, wanted, got, cause });
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(archive, {
      filter: ({ name, originalSize }) => {
        if (leavesFolder(name)) throw fail('paths inside the archive', `'${name}'`);
        if (!wanted.includes(name)) return false;
        if (originalSize > maxBytes) throw fail(`at most ${maxBytes} bytes in ${name}`, String(originalSize));
        return true;
      },
    });
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw fail('a zip archive', cause instanceof Error ? cause.message : String(cause), cause);
  }
  const files = new Map<string, Uint8Array>();
  for (const name of wanted) {
    const bytes = entries[name];
    if (bytes === undefined) throw fail(`a file ${name} in the archive`, 'none');
    files.set(name, bytes);
  }
  return files;
}

/** Whether an archive path would be written outside the folder it is unpacked to. */
function leavesFolder(name: string): boolean {
  return (
    name.startsWith('/') || name.includes('\\') || /^[A-Za-z]:/.test(name) || name.split('/').includes('..')
  );
}
