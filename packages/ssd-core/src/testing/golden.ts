/**
 * Golden numbers made by the public reference implementations.
 *
 * The full files lie in the folder `STATESPACE_GOLDEN`; small cases are copied into `packages/<p>/fixtures`.
 * Both have the same format.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type HostTensor, hostTensor } from './arrays.js';

/** Row-major numbers. `complex128` has a last axis of 2 (re, im). */
export interface GoldenArray {
  readonly shape: readonly number[];
  readonly dtype: 'float64' | 'complex128' | 'int32' | 'int64' | 'bool';
  readonly data: readonly number[];
}

/** A plain JSON value of a case's parameters. */
export type GoldenValue = string | number | boolean | null | GoldenValue[] | { [key: string]: GoldenValue };

export interface GoldenCase {
  readonly name: string;
  readonly params: Readonly<Record<string, GoldenValue>>;
  readonly inputs: Readonly<Record<string, GoldenArray>>;
  readonly outputs: Readonly<Record<string, GoldenArray>>;
  readonly source?: unknown;
}

export interface GoldenFile {
  readonly family: string;
  /** Repository, commit, path and function that made the numbers. */
  readonly source: unknown;
  /** Layouts, the loss behind every gradient, the meaning of parameters. */
  readonly note: string;
  readonly cases: readonly GoldenCase[];
}

/** The runner's `test.skip`. */
export type Skip = (name: string) => void;

/**
 * The golden file of `family`. Where `STATESPACE_GOLDEN` is not set, as in a user's clone, there is none, and `skip`
 * shows that. A set folder that lacks the file is an error, not a skip.
 */
export function loadGolden(family: string, skip: Skip): GoldenFile | undefined {
  const folder = process.env.STATESPACE_GOLDEN;
  if (folder !== undefined && folder !== '') return readGoldenFile(join(folder, `${family}.json`));
  skip(`golden numbers of ${family}: set STATESPACE_GOLDEN to their folder`);
  return undefined;
}

/** Its cases, or none: `test.each(goldenCases('ssd', test.skip))('$name', check)`. */
export function goldenCases(family: string, skip: Skip): readonly GoldenCase[] {
  return loadGolden(family, skip)?.cases ?? [];
}

/** A fixture of the calling package: `loadFixture(new URL('../fixtures/ssd.json', import.meta.url))`. */
export function loadFixture(file: URL): GoldenFile {
  return readGoldenFile(file);
}

function readGoldenFile(file: string | URL): GoldenFile {
  return JSON.parse(readFileSync(file, 'utf8')) as GoldenFile;
}

/** The case's array `name` as a float64 tensor; `complex128` keeps its last axis of 2 and becomes `c128`. */
export function goldenTensor(arrays: Readonly<Record<string, GoldenArray>>, name: string): HostTensor {
  const found = arrays[name];
  if (found === undefined) {
    throw new RangeError(`no golden array '${name}'; there are ${Object.keys(arrays).join(', ')}`);
  }
  return toHostTensor(found);
}

/** As `goldenTensor`, undefined where the case lacks the array. */
export function optionalGoldenTensor(
  arrays: Readonly<Record<string, GoldenArray>>,
  name: string,
): HostTensor | undefined {
  const found = arrays[name];
  return found === undefined ? undefined : toHostTensor(found);
}

/** A golden array as a float64 tensor. */
export function toHostTensor(array: GoldenArray): HostTensor {
  return hostTensor(array.data, array.shape, array.dtype === 'complex128' ? 'c128' : undefined);
}

/** A golden array of integers as an i32 tensor: indices, boundaries, token ids. */
export function toIndexTensor(values: GoldenArray | readonly number[]): {
  readonly data: Int32Array;
  readonly shape: readonly number[];
} {
  const list = 'data' in values ? values.data : values;
  return { data: Int32Array.from(list), shape: 'data' in values ? values.shape : [list.length] };
}
