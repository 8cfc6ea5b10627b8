/** Reading a model from a checkpoint folder of Hugging Face or mamba_ssm. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError } from '@statespace/ssd-core';
import { configFromJson, parseConfigJson } from '../config/hugging-face.js';
import type { ModelConfig } from '../config/model-config.js';
import { buildModel, type StateSpaceLM } from '../create-model.js';
import { blankParameters, type ParameterPlace } from '../layers/parameter-source.js';
import { openWeights, type WeightFiles } from './weight-files.js';

/**
 * The model in `folder`: config.json and model.safetensors, or its shards. Weights of other formats are converted to the
 * `dtype` of `place` (default f32).
 * @throws {CheckpointError} naming tensors that are missing, unexpected or misshapen. @throws {ConfigError} for a model that
 * is not supported. @throws {FormatError} when a file is damaged. @throws {IoError}
 */
export async function loadPretrained(folder: string, place: ParameterPlace = {}): Promise<StateSpaceLM> {
  const json = await readConfig(join(folder, 'config.json'));
  const weights = await openWeights(folder);
  try {
    // mamba_ssm writes the singular.
    const sources = new Map(
      [...weights.names].map((name) => [name.replace(/\bembedding\.weight$/, 'embeddings.weight'), name]),
    );
    const config = configFromJson(json, new Set(sources.keys()));
    // A tied head may be stored a second time.
    if (config.tieEmbeddings) sources.delete('lm_head.weight');
    return await readModel(config, place, sources, weights);
  } finally {
    await weights.close();
  }
}

async function readModel(
  config: ModelConfig,
  place: ParameterPlace,
  sources: ReadonlyMap<string, string>,
  weights: WeightFiles,
): Promise<StateSpaceLM> {
  const model = buildModel(blankParameters(place), config);
  try {
    model.checkShapes(
      new Map([...sources].map(([name, source]) => [name, weights.fileOf(source).info(source).shape])),
    );
    for (const [name, parameter] of model.namedParameters()) {
      const source = sources.get(name) as string;
      const { device, dtype } = parameter;
      const values = await weights.fileOf(source).readTensor(source, { device, dtype });
      parameter.copyFrom(values);
      values.dispose();
    }
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}

async function readConfig(path: string): Promise<Readonly<Record<string, unknown>>> {
  const fail = (got: string, cause: unknown) =>
    new CheckpointError({ op: 'loadPretrained', argument: path, wanted: 'a config.json', got, cause });
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw fail(cause.code === 'ENOENT' ? 'no such file' : cause.message, cause);
  });
  try {
    return parseConfigJson(text);
  } catch (cause) {
    throw fail(`no JSON object (${(cause as Error).message})`, cause);
  }
}
