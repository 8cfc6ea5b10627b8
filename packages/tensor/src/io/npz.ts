/** NumPy's .npz: a ZIP archive of .npy files, whose names are those of the arrays with `.npy` behind. */
import { FormatError, type TensorLike } from '@statespace/ssd-core';
import type { RawTensor } from '@statespace/ssd-core/files';
import type { TensorOptions } from '../create.js';
import type { Tensor } from '../tensor.js';
import { decodeNpy, encodeNpy } from './npy.js';

import { readBytes } from './read-file.js';
import type { NamedTensors } from './safetensors-write.js';
import { type WriteFileOptions, writeFileAtomic } from './write-file-atomic.js';
import { readZip, writeZip } from './zip.js';

export interface NpzWriteOptions extends WriteFileOptions {
  /** Default false, as `numpy.savez`; true as `numpy.savez_compressed`. */
  readonly compress?: boolean;
}

/** Reads every array of an archive. @throws {FormatError} @throws {IoError} */
export async function readNpz(path: string, options?: TensorOptions): Promise<Map<string, Tensor>> {
  return decodeNpz(await readBytes('readNpz', path), options, path);
}

/** Reads an archive that is in memory; `name` stands in messages. @throws {FormatError} */
export function decodeNpz(bytes: Uint8Array, options?: TensorOptions, name = 'bytes'): Map<string, Tensor> {
  const arrays = new Map<string, Tensor>();
  for (const entry of readZip('readNpz', name, bytes)) {
    if (!entry.name.endsWith('.npy')) {
      throw new FormatError({
        op: 'readNpz',
        argument: name,
        wanted: 'entries named *.npy',
        got: entry.name,
      });
    }
    arrays.set(entry.name.slice(0, -4), decodeNpy(entry.data, options, `${name}: ${entry.name}`));
  }
  return arrays;
}

/** Writes an archive atomically; equal arrays give equal bytes. @throws {IoError} @throws {DTypeError} */
export async function writeNpz(
  path: string,
  tensors: NamedTensors,
  options: NpzWriteOptions = {},
): Promise<void> {
  await writeFileAtomic(path, encodeNpz(tensors, options), options);
}

/** The bytes of an archive in memory. */
export function encodeNpz(
  tensors: NamedTensors,
  { compress = false }: Pick<NpzWriteOptions, 'compress'> = {},
): Uint8Array {
  const pairs = Symbol.iterator in tensors ? tensors : Object.entries(tensors);
  const entries = Array.from(
    pairs as Iterable<readonly [string, TensorLike | RawTensor]>,
    ([name, value]) => ({
      name: `${name}.npy`,
      data: encodeNpy(value, name),
    }),
  );
  return writeZip(entries, compress);
}
