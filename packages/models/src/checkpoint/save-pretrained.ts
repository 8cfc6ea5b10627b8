/** Writing a model as a checkpoint folder that transformers reads. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ArgumentError, bytesPerElement } from '@statespace/ssd-core';
import { makeFolder, type Parameter, writeFileAtomic, writeSafetensors } from '@statespace/tensor';
import { configText } from '../config/hugging-face.js';
import type { CausalLM } from '../language-model/causal-lm.js';
import { indexFile, singleFile } from './weight-files.js';

export interface SavePretrainedOptions {
  /** Weights beyond this many bytes go into shards with an index. Default 5e9. */
  readonly maxShardBytes?: number;
}

/**
 * Writes config.json and model.safetensors (or shards) to `folder`, which is made if needed. Each file appears in one
 * rename, config.json last.
 * @throws {IoError} when the disk refuses; no file is half-written.
 */
export async function savePretrained(
  model: CausalLM,
  folder: string,
  { maxShardBytes = 5e9 }: SavePretrainedOptions = {},
): Promise<void> {
  if (!(maxShardBytes > 0)) {
    throw new ArgumentError({
      op: 'savePretrained',
      argument: 'maxShardBytes',
      wanted: 'a positive number',
      got: String(maxShardBytes),
    });
  }
  makeFolder(folder);
  const shards = intoShards(model.namedParameters(), maxShardBytes);
  // transformers refuses files that do not say which framework's layout they have.
  const metadata = { format: 'pt' };
  if (shards.length === 1) {
    await writeSafetensors(join(folder, singleFile), shards[0] as Named[], { metadata });
    await rm(join(folder, indexFile), { force: true });
  } else {
    const weightMap: Record<string, string> = {};
    for (const [i, shard] of shards.entries()) {
      const file = `model-${fiveDigits(i + 1)}-of-${fiveDigits(shards.length)}.safetensors`;
      await writeSafetensors(join(folder, file), shard, { metadata });
      for (const [name] of shard) weightMap[name] = file;
    }
    const total = model.namedParameters().reduce((sum, [, parameter]) => sum + bytesOf(parameter), 0);
    const index = { metadata: { total_size: total }, weight_map: weightMap };
    await writeFileAtomic(join(folder, indexFile), `${JSON.stringify(index, undefined, 2)}\n`);
    // Readers prefer the single file: one of an earlier save must not shadow the shards.
    await rm(join(folder, singleFile), { force: true });
  }
  const dtype = model.headWeight.dtype === 'f64' ? 'float64' : 'float32';
  await writeFileAtomic(join(folder, 'config.json'), configText(model.config, dtype));
}

type Named = readonly [string, Parameter];

function intoShards(parameters: readonly Named[], maxBytes: number): Named[][] {
  const shards: Named[][] = [[]];
  let bytes = 0;
  for (const named of parameters) {
    const own = bytesOf(named[1]);
    if (bytes > 0 && bytes + own > maxBytes) {
      shards.push([]);
      bytes = 0;
    }
    (shards.at(-1) as Named[]).push(named);
    bytes += own;
  }
  return shards;
}

function bytesOf({ size, dtype }: Parameter): number {
  return size * bytesPerElement(dtype);
}

function fiveDigits(n: number): string {
  return String(n).padStart(5, '0');
}
