/** Command-line flags of a configuration schema, read off its JSON Schema. */
import { ConfigError } from '@statespace/ssd-core';
import { z } from 'zod';
import { isIntegerRange, parseIntegers } from './integer-list.js';
import { isPlainObject } from './layers.js';
import type { PlainObject } from './yaml-file.js';

/** One leaf of a schema as a flag. */
export interface SchemaFlag {
  /** Dotted path in the configuration, `model.dModel`. */
  readonly path: string;
  /** Names on the command line: `--model.dModel`, then the spellings of `.meta({ flag })`, one or a list. */
  readonly names: readonly string[];
  readonly type: 'integer' | 'number' | 'string' | 'boolean' | 'array';
  /** Type of an array's items. */
  readonly itemType?: 'integer' | 'number' | 'string';
  readonly choices?: readonly string[];
  readonly description: string;
  readonly defaultValue?: unknown;
}

/** JSON Schema (2020-12) of what may be written in a configuration file. */
export function configJsonSchema(schema: z.ZodType): PlainObject {
  return z.toJSONSchema(schema, { io: 'input' }) as PlainObject;
}

/** A flag for every leaf of `schema`, in order of declaration. */
export function schemaFlags(schema: z.ZodType): SchemaFlag[] {
  return collect(configJsonSchema(schema), '');
}

function collect(node: PlainObject, prefix: string): SchemaFlag[] {
  const properties = isPlainObject(node.properties) ? node.properties : {};
  return Object.entries(properties).flatMap(([key, value]) => {
    const field = value as PlainObject;
    const path = prefix === '' ? key : `${prefix}.${key}`;
    return field.type === 'object' ? collect(field, path) : [leaf(field, path)];
  });
}

function leaf(field: PlainObject, path: string): SchemaFlag {
  const spellings = [field.flag].flat().filter((name): name is string => typeof name === 'string');
  const names = [...new Set([`--${path}`, ...spellings])];
  const items = isPlainObject(field.items) ? field.items : undefined;
  return {
    path,
    names,
    type: (field.type ?? 'string') as SchemaFlag['type'],
    ...(items === undefined ? {} : { itemType: items.type as 'number' }),
    ...(Array.isArray(field.enum) ? { choices: field.enum.map(String) } : {}),
    description: typeof field.description === 'string' ? field.description : '',
    ...(field.default === undefined ? {} : { defaultValue: field.default }),
  };
}

/**
 * The value of a flag's text, by the flag's type; the schema checks ranges later. A list comes as one text or several,
 * with commas or without: `15 30`, `15,30`; whole numbers may be ranges, `0..9`. A flag without text is `true`.
 * @throws {ConfigError} when the text is no number where one is wanted, and so on.
 */
export function parseFlagValue(flag: SchemaFlag, text: string | readonly string[]): unknown {
  const texts = [text].flat();
  if (flag.type !== 'array') return parseScalar(flag, flag.type, texts.at(-1) ?? 'true');
  const itemType = flag.itemType ?? 'string';
  return texts
    .flatMap((part) => part.split(','))
    .map((item) => item.trim())
    .flatMap((item) =>
      itemType === 'integer' && isIntegerRange(item)
        ? parseIntegers(item, flag.names[0] as string)
        : [parseScalar(flag, itemType, item)],
    );
}

function parseScalar(flag: SchemaFlag, type: string, text: string): unknown {
  if (type === 'boolean') {
    if (text === 'true' || text === 'false') return text === 'true';
    throw wrongValue(flag, 'true or false', text);
  }
  if (type !== 'number' && type !== 'integer') return text;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw wrongValue(flag, 'a number', text);
  if (type === 'integer' && !Number.isInteger(value)) throw wrongValue(flag, 'an integer', text);
  return value;
}

function wrongValue(flag: SchemaFlag, wanted: string, text: string): ConfigError {
  return new ConfigError({ op: 'flags', argument: flag.names[0] as string, wanted, got: `'${text}'` });
}
