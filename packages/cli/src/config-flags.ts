/** Flags of a configuration schema on a commander command, and the configuration they spell. */
import {
  getPath,
  type PlainObject,
  parseFlagValue,
  type SchemaFlag,
  schemaFlags,
  setPath,
} from '@statespace/experiments';
import { type Command, Option } from 'commander';

type ParamsSchema = Parameters<typeof schemaFlags>[0];

/** `--seed` takes a list and is handled apart. */
const handledApart = new Set(['seed']);

/**
 * Adds one option per leaf of `schema` to `command`. All spellings of a leaf write to the same place, the later wins;
 * lists are written with spaces, commas or both, and a truth value may be left out.
 * @param preset values shown as defaults where they differ from the schema's
 * @returns the mapping that collects what was given; it is filled while commander parses
 */
export function addConfigFlags(
  command: Command,
  schema: ParamsSchema,
  preset: PlainObject = {},
): PlainObject {
  const layer: PlainObject = {};
  for (const flag of schemaFlags(schema)) {
    if (handledApart.has(flag.path)) continue;
    // Commander hands over the items of a list one by one.
    let texts: string[] = [];
    let spelling: string | undefined;
    for (const [index, name] of flag.names.entries()) {
      const option = new Option(`${name} ${placeholder(flag)}`, describe(flag, preset));
      if (index > 0) option.helpGroup('Short spellings:').description = `same as ${flag.names[0]}`;
      else option.helpGroup('Configuration:');
      command.addOption(option);
      command.on(`option:${option.name()}`, (text: string | null) => {
        if (spelling !== name) texts = [];
        spelling = name;
        texts.push(text ?? 'true');
        setPath(layer, flag.path, parseFlagValue(flag, texts));
      });
    }
  }
  return layer;
}

function placeholder({ type, choices }: SchemaFlag): string {
  if (choices !== undefined) return `<${choices.join('|')}>`;
  if (type === 'array') return '<list...>';
  if (type === 'boolean') return '[true|false]';
  return type === 'integer' ? '<n>' : type === 'number' ? '<x>' : '<text>';
}

function describe(flag: SchemaFlag, preset: PlainObject): string {
  const value = getPath(preset, flag.path) ?? flag.defaultValue;
  return value === undefined ? flag.description : `${flag.description} (default ${JSON.stringify(value)})`;
}
