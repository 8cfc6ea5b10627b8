/** Reads safetensors: all at once, or tensor by tensor from an open file. */
import type { FileHandle } from 'node:fs/promises';
import { ArgumentError } from '@statespace/ssd-core';
import { fileArray, type RawTensor } from '@statespace/ssd-core/files';
import type { TensorOptions } from '../create.js';
import type { Tensor } from '../tensor.js';
import { toTensor } from './raw-tensor.js';
import { openFile, readRange } from './read-file.js';
import {
  headerLength,
  parseHeader,
  type SafetensorsEntry,
  type SafetensorsHeader,
} from './safetensors-header.js';

/** What a file holds. */
export interface SafetensorsContents {
  readonly tensors: Map<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A file whose header is read and whose tensors are read when asked for. Close it. */
export class SafetensorsFile {
  /** @internal Use `openSafetensors`. */
  constructor(
    readonly path: string,
    private readonly file: FileHandle,
    private readonly header: SafetensorsHeader,
    private readonly dataStart: number,
  ) {}

  /** Names in the order of the header. */
  get names(): string[] {
    return [...this.header.entries.keys()];
  }
  get metadata(): Readonly<Record<string, string>> {
    return this.header.metadata;
  }

  /** Format, shape and place of a tensor. @throws {ArgumentError} for an unknown name. */
  info(name: string): SafetensorsEntry {
    const entry = this.header.entries.get(name);
    if (entry !== undefined) return entry;
    throw new ArgumentError({
      op: 'SafetensorsFile',
      argument: name,
      wanted: `a tensor of ${this.path}`,
      got: 'an unknown name',
    });
  }

  /** The numbers as they stand in the file. */
  async read(name: string): Promise<RawTensor> {
    const { dtype, shape, begin, end } = this.info(name);
    const bytes = await readRange(
      'readSafetensors',
      this.path,
      this.file,
      this.dataStart + begin,
      end - begin,
    );
    return { dtype, shape, data: fileArray(dtype, bytes) };
  }

  /** The numbers as a tensor; I64, I16 and I8 become i32, BOOL becomes u8. @throws {FormatError} */
  async readTensor(name: string, options?: TensorOptions): Promise<Tensor> {
    return toTensor('readSafetensors', `${this.path}: ${name}`, await this.read(name), options);
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

/** Opens a file and checks its header. @throws {IoError} @throws {FormatError} */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const op = 'openSafetensors';
  const file = await openFile(op, path);
  try {
    const { size } = await file.stat();
    const prefix = await readRange(op, path, file, 0, Math.min(8, size));
    const length = headerLength(op, path, prefix, size);
    const header = parseHeader(op, path, await readRange(op, path, file, 8, length), size - 8 - length);
    return new SafetensorsFile(path, file, header, 8 + length);
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Reads every tensor of a file. @throws {IoError} @throws {FormatError} */
export async function readSafetensors(path: string, options?: TensorOptions): Promise<SafetensorsContents> {
  const file = await openSafetensors(path);
  const tensors = new Map<string, Tensor>();
  try {
    for (const name of file.names) tensors.set(name, await file.readTensor(name, options));
  } catch (error) {
    for (const tensor of tensors.values()) tensor.dispose();
    throw error;
  } finally {
    await file.close();
  }
  return { tensors, metadata: file.metadata };
}

/** Reads a file that is in memory. @throws {FormatError} */
export function decodeSafetensors(bytes: Uint8Array, options?: TensorOptions): SafetensorsContents {
  const op = 'decodeSafetensors';
  const length = headerLength(op, 'bytes', bytes, bytes.length);
  const data = bytes.subarray(8 + length);
  const { entries, metadata } = parseHeader(op, 'bytes', bytes.subarray(8, 8 + length), data.length);
  const tensors = new Map<string, Tensor>();
  for (const [name, { dtype, shape, begin, end }] of entries) {
    const raw = { dtype, shape, data: fileArray(dtype, data.subarray(begin, end)) };
    tensors.set(name, toTensor(op, name, raw, options));
  }
  return { tensors, metadata };
}
