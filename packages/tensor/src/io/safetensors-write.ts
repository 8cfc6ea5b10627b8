/** Writes safetensors: the same tensors give the same bytes, in the order the reference library chooses. */
import { ArgumentError, type TensorLike } from '@statespace/ssd-core';
import {
  bytesOf,
  describe,
  type FileDType,
  fileArrayOf,
  fileFormats,
  type RawTensor,
} from '@statespace/ssd-core/files';
import { onHost } from './raw-tensor.js';
import { maxHeaderBytes } from './safetensors-header.js';
import { type WriteFileOptions, writeFileAtomic } from './write-file-atomic.js';

export type NamedTensors =
  | Iterable<readonly [name: string, tensor: TensorLike | RawTensor]>
  | Readonly<Record<string, TensorLike | RawTensor>>;

export interface SafetensorsWriteOptions extends WriteFileOptions {
  readonly metadata?: Readonly<Record<string, string>>;
}

interface Item {
  readonly name: string;
  readonly value: TensorLike | RawTensor;
  readonly dtype: FileDType;
  readonly shape: readonly number[];
  readonly bytes: number;
}

/** Writes a file atomically. @throws {IoError} @throws {DTypeError} for complex formats. */
export async function writeSafetensors(
  path: string,
  tensors: NamedTensors,
  options: SafetensorsWriteOptions = {},
): Promise<void> {
  await writeFileAtomic(path, chunks('writeSafetensors', tensors, options.metadata), options);
}

/** The bytes of a file in memory. */
export function encodeSafetensors(
  tensors: NamedTensors,
  options: Pick<SafetensorsWriteOptions, 'metadata'> = {},
): Uint8Array {
  return Buffer.concat([...chunks('encodeSafetensors', tensors, options.metadata)]);
}

/** Header, then one tensor at a time, so that only one is on the host at once. */
function* chunks(
  op: string,
  tensors: NamedTensors,
  metadata: Readonly<Record<string, string>> | undefined,
): Generator<Uint8Array> {
  const items = layout(op, tensors);
  yield header(op, items, metadata);
  for (const { name, value } of items) yield bytesOf(fileArrayOf(op, name, onHost(value)));
}

const alignmentOrder = Object.keys(fileFormats);

/** Widest format first, so that every tensor is aligned without padding; then by name. */
function layout(op: string, tensors: NamedTensors): Item[] {
  const pairs = Symbol.iterator in tensors ? tensors : Object.entries(tensors);
  const items: Item[] = [];
  const names = new Set<string>();
  for (const [name, value] of pairs as Iterable<readonly [string, TensorLike | RawTensor]>) {
    if (names.has(name) || name === '__metadata__') {
      const got = name === '__metadata__' ? 'the reserved name' : 'it twice';
      throw new ArgumentError({ op, argument: name, wanted: 'each name once', got });
    }
    names.add(name);
    items.push({ name, value, ...describe(op, name, value) });
  }
  return items.sort(
    (a, b) => alignmentOrder.indexOf(a.dtype) - alignmentOrder.indexOf(b.dtype) || compare(a.name, b.name),
  );
}

function header(
  op: string,
  items: readonly Item[],
  metadata: Readonly<Record<string, string>> | undefined,
): Uint8Array {
  const parts: string[] = [];
  if (metadata !== undefined) {
    const sorted = Object.entries(metadata).sort(([a], [b]) => compare(a, b));
    parts.push(`"__metadata__":{${sorted.map(([key, value]) => `${quote(key)}:${quote(value)}`).join(',')}}`);
  }
  let begin = 0;
  for (const { name, dtype, shape, bytes } of items) {
    parts.push(
      `${quote(name)}:{"dtype":"${dtype}","shape":[${shape.join(',')}],"data_offsets":[${begin},${begin + bytes}]}`,
    );
    begin += bytes;
  }
  const text = new TextEncoder().encode(`{${parts.join(',')}}`);
  const length = Math.ceil(text.length / 8) * 8;
  if (length > maxHeaderBytes) {
    throw new ArgumentError({
      op,
      argument: 'tensors',
      wanted: `a header of at most ${maxHeaderBytes} bytes`,
      got: `${length}`,
    });
  }
  const out = new Uint8Array(8 + length).fill(0x20);
  new DataView(out.buffer).setBigUint64(0, BigInt(length), true);
  out.set(text, 8);
  return out;
}

function quote(text: string): string {
  return JSON.stringify(text);
}

/** By Unicode code points, as UTF-8 bytes compare; `<` would compare UTF-16 units. */
function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
