/**
 * JSON as programs that know NaN write it. JSON has no NaN or infinity: JavaScript writes null for them, Python writes
 * the bare words. Both are read here, and found.
 */
import { isPlainObject } from '../config/layers.js';

/** Stands for a bare NaN, Infinity or -Infinity in a value that `parseLooseJson` returned. */
export class NonFiniteNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const mark = '\u0000non-finite:';

/** Parses JSON in which numbers may be NaN or infinite. @throws {SyntaxError} */
export function parseLooseJson(text: string): unknown {
  // Strings are matched first, so that the word in a text stays what it is.
  const marked = text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\bInfinity\b|\bNaN\b/g, (token) =>
    token.startsWith('"') ? token : JSON.stringify(`${mark}${token}`),
  );
  return JSON.parse(marked, (_key, value: unknown) =>
    typeof value === 'string' && value.startsWith(mark)
      ? new NonFiniteNumber(value.slice(mark.length))
      : value,
  );
}

/** A place in a value where no finite number can be read. */
export interface NonFinitePlace {
  readonly path: string;
  readonly found: string;
}

/** Every place with a NaN or an infinity, or with the null that stands for one. */
export function nonFinitePlaces(value: unknown, path = ''): NonFinitePlace[] {
  if (value === null) return [{ path, found: 'null' }];
  if (value instanceof NonFiniteNumber) return [{ path, found: value.text }];
  if (typeof value === 'number') return Number.isFinite(value) ? [] : [{ path, found: String(value) }];
  if (Array.isArray(value)) return value.flatMap((item, i) => nonFinitePlaces(item, `${path}[${i}]`));
  if (!isPlainObject(value)) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    nonFinitePlaces(member, path === '' ? key : `${path}.${key}`),
  );
}
