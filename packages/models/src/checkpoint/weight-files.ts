/** The safetensors files of a checkpoint folder: one, or shards with an index. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CheckpointError } from '@statespace/ssd-core';
import { openSafetensors, type SafetensorsFile } from '@statespace/tensor';

/** The one file of a small checkpoint. */
export const singleFile = 'model.safetensors';
/** Says which shard holds which tensor. */
export const indexFile = 'model.safetensors.index.json';

/** All tensors of a checkpoint by name, read one at a time. */
export interface WeightFiles {
  readonly names: ReadonlySet<string>;
  /** File that holds `name`. */
  fileOf(name: string): SafetensorsFile;
  close(): Promise<void>;
}

/**
 * Opens the weights in `folder`. Only headers are read.
 * @throws {CheckpointError} when there are none, or the index and the shards disagree. @throws {FormatError}
 */
export async function openWeights(folder: string): Promise<WeightFiles> {
  const single = await readIfPresent(join(folder, singleFile), () =>
    openSafetensors(join(folder, singleFile)),
  );
  if (single !== undefined) {
    return { names: new Set(single.names), fileOf: () => single, close: () => single.close() };
  }
  const path = join(folder, indexFile);
  const text = await readIfPresent(path, () => readFile(path, 'utf8'));
  if (text === undefined) {
    throw new CheckpointError({
      op: 'loadPretrained',
      argument: folder,
      wanted: `${singleFile} or ${indexFile}`,
      got: 'neither',
    });
  }
  return openShards(folder, shardMap(path, text));
}

async function openShards(folder: string, shards: ReadonlyMap<string, string>): Promise<WeightFiles> {
  const files = new Map<string, SafetensorsFile>();
  const close = async () => {
    for (const file of files.values()) await file.close();
  };
  try {
    for (const shard of new Set(shards.values()))
      files.set(shard, await openSafetensors(join(folder, shard)));
    for (const [name, shard] of shards) {
      if (files.get(shard)?.names.includes(name)) continue;
      throw new CheckpointError({
        op: 'loadPretrained',
        argument: join(folder, shard),
        wanted: `the tensor ${name}, as ${indexFile} has it`,
        got: 'none',
      });
    }
  } catch (error) {
    await close();
    throw error;
  }
  const fileOf = (name: string) => files.get(shards.get(name) as string) as SafetensorsFile;
  return { names: new Set(shards.keys()), fileOf, close };
}

/** `weight_map` of an index: tensor names to file names inside the folder. */
function shardMap(path: string, text: string): Map<string, string> {
  const fail = (got: string, cause?: unknown) =>
    new CheckpointError({
      op: 'loadPretrained',
      argument: path,
      wanted: 'a weight_map from tensor names to .safetensors files in the same folder',
      got,
      cause,
    });
  let json: { weight_map?: unknown } | null;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw fail('no JSON', cause);
  }
  const map = json?.weight_map;
  if (typeof map !== 'object' || map === null) throw fail('none');
  const shards = new Map<string, string>();
  for (const [name, shard] of Object.entries(map)) {
    // A path that leaves the folder is not followed.
    const plain = typeof shard === 'string' && shard === basename(shard) && !shard.includes('\\');
    if (!plain || !shard.endsWith('.safetensors')) throw fail(JSON.stringify(shard));
    shards.set(name, shard);
  }
  return shards;
}

/** What `read` gives, or undefined when there is no such file. */
async function readIfPresent<T>(path: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isMissing(error, path)) return undefined;
    throw error;
  }
}

/** Whether `error`, or one of its causes, says that there is no file. */
function isMissing(error: unknown, path: string): boolean {
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    const { code, path: at } = inner as NodeJS.ErrnoException;
    if (code === 'ENOENT' && (at === undefined || at === path)) return true;
  }
  return false;
}
