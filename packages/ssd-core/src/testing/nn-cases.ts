/** Golden cases of the dense ops, copied from the golden file `nn` into this package's fixtures. */
import type { HostTensor } from './arrays.js';
import { type GoldenCase, type GoldenFile, loadFixture, toHostTensor } from './golden.js';

/** A case with its float arrays as tensors; index arrays are read with `toIndexTensor(golden.inputs.…)`. */
export interface NnCase {
  readonly name: string;
  readonly params: GoldenCase['params'];
  readonly golden: GoldenCase;
  readonly inputs: Readonly<Record<string, HostTensor>>;
  readonly outputs: Readonly<Record<string, HostTensor>>;
}

/** The fixture file itself. */
export function nnFixture(): GoldenFile {
  return loadFixture(new URL('../../fixtures/nn.json', import.meta.url));
}

/** Cases whose name begins with `prefix`. @throws {RangeError} when there is none. */
export function nnCases(prefix: string): NnCase[] {
  const cases = nnFixture().cases.filter(({ name }) => name.startsWith(prefix));
  if (cases.length === 0) throw new RangeError(`no case of fixtures/nn.json begins with '${prefix}'`);
  return cases.map((golden) => ({
    name: golden.name,
    params: golden.params,
    golden,
    inputs: tensors(golden.inputs),
    outputs: tensors(golden.outputs),
  }));
}

/** The case named `name`. @throws {RangeError} when there is none. */
export function nnCase(name: string): NnCase {
  const found = nnCases(name).find((candidate) => candidate.name === name);
  if (found === undefined) throw new RangeError(`no case of fixtures/nn.json is named '${name}'`);
  return found;
}

function tensors(arrays: GoldenCase['inputs']): Record<string, HostTensor> {
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, toHostTensor(array)]));
}
