/** Checks a plain value against a zod schema and turns what is wrong into one clear error. */
import { ConfigError, nearest } from '@statespace/ssd-core';
import { z } from 'zod';

type Path = readonly PropertyKey[];

/**
 * The checked value with its defaults.
 * @param source where the value came from, for the message: a file name, or `flags`
 * @throws {ConfigError} for unknown keys (with the nearest known one), wrong types and values out of range.
 */
export function parseConfig<S extends z.ZodType>(schema: S, value: unknown, source: string): z.output<S> {
  const parsed = schema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.flatMap((issue) => describe(issue, schema, value));
  const [first] = lines as [IssueText, ...IssueText[]];
  const others = lines.slice(1).map(({ argument, text }) => `${argument}: ${text}`);
  throw new ConfigError({
    op: source,
    argument: first.argument,
    wanted: first.wanted,
    ...(first.got === undefined ? {} : { got: first.got }),
    ...(others.length === 0 ? {} : { hint: `Also: ${others.join('; ')}` }),
  });
}

interface IssueText {
  readonly argument: string;
  readonly wanted: string;
  readonly got?: string;
  readonly text: string;
}

function describe(issue: z.core.$ZodIssue, schema: z.ZodType, root: unknown): IssueText[] {
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, issue.path);
    return issue.keys.map((key) => {
      const near = nearest(key, known);
      const wanted =
        near === undefined ? `one of ${known.join(', ')}` : `a known key; did you mean '${near}'?`;
      return { argument: formatPath([...issue.path, key]), wanted, text: `unknown key, expected ${wanted}` };
    });
  }
  const got = formatValue(valueAt(root, issue.path));
  const wanted = wantedText(issue);
  return [{ argument: formatPath(issue.path), wanted, got, text: `expected ${wanted}, got ${got}` }];
}

function wantedText(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return article(issue.expected);
    case 'invalid_value':
      return `one of ${issue.values.map((value) => String(value)).join(', ')}`;
    case 'too_small':
      return `${issue.origin === 'array' ? 'length ' : ''}${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`;
    case 'too_big':
      return `${issue.origin === 'array' ? 'length ' : ''}${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}`;
    default:
      return issue.message.replace(/^expected /i, '');
  }
}

function article(type: string): string {
  if (type === 'int') return 'an integer';
  if (type === 'object' || type === 'record') return 'a mapping of keys to values';
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

/** `trainer.steps`, `optimizer.betas[1]`. */
export function formatPath(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += text === '' ? String(part) : `.${String(part)}`;
  }
  return text === '' ? 'the configuration' : text;
}

function formatValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}

/** Keys of the object schema at `path`. */
function knownKeys(schema: z.ZodType, path: Path): string[] {
  let current: unknown = schema;
  for (const part of path) {
    const object = unwrap(current);
    current = object instanceof z.ZodObject ? object.shape[part as string] : undefined;
  }
  const object = unwrap(current);
  return object instanceof z.ZodObject ? Object.keys(object.shape) : [];
}

/** The schema inside defaults and optionals. */
function unwrap(schema: unknown): unknown {
  let current = schema;
  while (
    current instanceof z.ZodDefault ||
    current instanceof z.ZodPrefault ||
    current instanceof z.ZodOptional
  ) {
    current = current.unwrap();
  }
  return current;
}
