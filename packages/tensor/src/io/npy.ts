/** NumPy's .npy files as tensors. */
import type { TensorLike } from '@statespace/ssd-core';
import { decodeRawNpy, encodeNpy as encodeHostNpy, type RawTensor } from '@statespace/ssd-core/files';
import type { TensorOptions } from '../create.js';
import type { Tensor } from '../tensor.js';
import { onHost, toTensor } from './raw-tensor.js';
import { readBytes } from './read-file.js';
import { type WriteFileOptions, writeFileAtomic } from './write-file-atomic.js';

/**
 * Reads an array as a tensor; i8, i2 and i1 become i32, booleans u8, complex numbers pairs along a last axis of 2.
 * @throws {FormatError} @throws {IoError}
 */
export async function readNpy(path: string, options?: TensorOptions): Promise<Tensor> {
  return decodeNpy(await readBytes('readNpy', path), options, path);
}

/** Reads an array that is in memory; `name` stands in messages. @throws {FormatError} */
export function decodeNpy(bytes: Uint8Array, options?: TensorOptions, name = 'bytes'): Tensor {
  return toTensor('readNpy', name, decodeRawNpy(bytes, name), options);
}

/** Writes an array atomically, version 1.0, C order. @throws {IoError} @throws {DTypeError} */
export async function writeNpy(
  path: string,
  value: TensorLike | RawTensor,
  options: WriteFileOptions = {},
): Promise<void> {
  await writeFileAtomic(path, encodeNpy(value), options);
}

/** The bytes of a file in memory. @throws {DTypeError} for bf16, which NumPy lacks. */
export function encodeNpy(value: TensorLike | RawTensor, name = 'tensor'): Uint8Array {
  return encodeHostNpy(onHost(value), name);
}
