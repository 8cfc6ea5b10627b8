/** Layers of configuration: presets under files under flags. */
import type { PlainObject } from './yaml-file.js';

/** Keys of which only one may be set: a higher layer that sets one takes the other out of the lower layers. */
const rivals: readonly (readonly [string, string])[] = [['trainer.epochs', 'trainer.steps']];

/** `lower` with the values of `upper` on top, mapping by mapping; neither argument is changed. */
export function mergeLayers(lower: PlainObject, upper: PlainObject): PlainObject {
  const base = structuredClone(lower);
  for (const [first, second] of rivals) {
    if (getPath(upper, first) !== undefined) deletePath(base, second);
    if (getPath(upper, second) !== undefined) deletePath(base, first);
  }
  return merge(base, upper);
}

function merge(lower: PlainObject, upper: PlainObject): PlainObject {
  const result: PlainObject = { ...lower };
  for (const [key, value] of Object.entries(upper)) {
    const below = result[key];
    result[key] = isPlainObject(value) && isPlainObject(below) ? merge(below, value) : structuredClone(value);
  }
  return result;
}

/** Whether `value` is a mapping (no array, no null). */
export function isPlainObject(value: unknown): value is PlainObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value under a dotted path, or undefined. */
export function getPath(object: PlainObject, path: string): unknown {
  let value: unknown = object;
  for (const part of path.split('.')) {
    if (!isPlainObject(value)) return undefined;
    value = value[part];
  }
  return value;
}

/** Sets the value under a dotted path, making mappings on the way. */
export function setPath(object: PlainObject, path: string, value: unknown): void {
  const parts = path.split('.');
  const last = parts.pop() as string;
  let target = object;
  for (const part of parts) {
    const below = target[part];
    const next: PlainObject = isPlainObject(below) ? below : {};
    target[part] = next;
    target = next;
  }
  target[last] = value;
}

function deletePath(object: PlainObject, path: string): void {
  const parts = path.split('.');
  const last = parts.pop() as string;
  const parent = parts.length === 0 ? object : getPath(object, parts.join('.'));
  if (isPlainObject(parent)) delete parent[last];
}
