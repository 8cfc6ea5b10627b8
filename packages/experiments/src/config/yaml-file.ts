/** Configuration files: YAML 1.2 (JSON included), with the line named when the syntax is wrong. */
import { closeSync, openSync, readSync } from 'node:fs';
import { ConfigError, IoError } from '@statespace/ssd-core';
import { parseDocument, stringify } from 'yaml';

/** A plain mapping, as YAML and JSON have it. */
export type PlainObject = Record<string, unknown>;

const mostBytes = 1 << 20;

/**
 * The mapping in a YAML file.
 * @throws {IoError} when it cannot be read. @throws {ConfigError} naming line and column, or when it is no mapping.
 */
export function readYamlFile(path: string): PlainObject {
  let text: string;
  try {
    text = readHead(path);
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    throw new IoError({
      op: 'readYamlFile',
      argument: path,
      wanted: 'a readable file',
      got: code === 'ENOENT' ? 'no such file' : String(code),
      cause,
    });
  }
  return parseYaml(text, path);
}

/** Text of a file, a pipe too; of one that has no end, such as /dev/zero, no more than says that it is too long. */
function readHead(path: string): string {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(mostBytes + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = readSync(file, bytes, length, bytes.length - length, null);
    }
    if (length > mostBytes) {
      const [wanted, got] = [`a configuration of at most ${mostBytes} bytes`, 'more'];
      throw new ConfigError({ op: 'readYamlFile', argument: path, wanted, got });
    }
    return bytes.toString('utf8', 0, length);
  } finally {
    closeSync(file);
  }
}

/** The mapping in YAML text; `source` names it in messages. @throws {ConfigError} */
export function parseYaml(text: string, source: string): PlainObject {
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true });
  const [error] = document.errors;
  if (error !== undefined) {
    const position = error.linePos?.[0];
    const where = position === undefined ? '' : `line ${position.line}, column ${position.col}`;
    const [reason] = error.message.split('\n') as [string];
    throw new ConfigError({
      op: source,
      ...(where === '' ? {} : { argument: where }),
      wanted: 'valid YAML',
      got: reason.replace(/ at line \d+, column \d+:?$/, ''),
      cause: error,
    });
  }
  const value: unknown = document.toJS();
  if (value === null || value === undefined) return {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new ConfigError({ op: source, wanted: 'a mapping of keys to values', got: JSON.stringify(value) });
  }
  return value as PlainObject;
}

/** YAML text of a plain value, keys in the order given. */
export function formatYaml(value: PlainObject): string {
  return stringify(value, { lineWidth: 100 });
}
