/** Files that outlive a version of this package say which format they are in, and old ones are carried forward. */
import { FormatError } from '@statespace/ssd-core';

/** A record with its format's name and version. */
export interface Versioned {
  readonly format: string;
  readonly formatVersion: number;
}

/** A file format: its name, its present version, and how each older version becomes the next. */
export interface FileFormat {
  readonly name: string;
  readonly version: number;
  /** `migrations[n]` turns version n into version n + 1. */
  readonly migrations: Readonly<Record<number, (record: Record<string, unknown>) => Record<string, unknown>>>;
}

/**
 * `record` in the present version of `format`.
 * @param where file name for messages
 * @throws {FormatError} when it is of another format, of a newer version, or of one no migration reaches.
 */
export function migrate(record: unknown, format: FileFormat, where: string): Record<string, unknown> {
  if (typeof record !== 'object' || record === null || (record as Versioned).format !== format.name) {
    throw new FormatError({
      op: 'migrate',
      argument: where,
      wanted: `format '${format.name}'`,
      got: `'${String((record as Versioned | null)?.format)}'`,
    });
  }
  let current = record as Record<string, unknown>;
  let version = Number(current.formatVersion);
  if (version > format.version) {
    throw new FormatError({
      op: 'migrate',
      argument: where,
      wanted: `${format.name} version ${format.version} or older`,
      got: `version ${version}`,
      hint: 'It was written by a newer release; update this one to read it',
    });
  }
  while (version !== format.version) {
    const step = format.migrations[version];
    if (step === undefined) {
      throw new FormatError({
        op: 'migrate',
        argument: where,
        wanted: `a known version of ${format.name}`,
        got: `version ${String(current.formatVersion)}`,
      });
    }
    version += 1;
    current = { ...step(current), formatVersion: version };
  }
  return current;
}
