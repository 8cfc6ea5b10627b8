/** Models with the weights of a golden case. */
import type { GoldenArray, GoldenCase } from '@statespace/ssd-core/testing';
import { type Tensor, tensor } from '@statespace/tensor';
import type { ModelOptions } from '../config/model-config.js';
import { createModel } from '../create-model.js';
import type { CausalLM } from '../language-model/causal-lm.js';

export interface Place {
  readonly device: string;
  readonly dtype: 'f32' | 'f64';
}

/** A golden array as a tensor; integers become i32. */
export function goldenTensor(array: GoldenArray, { device, dtype }: Place): Tensor {
  const format = array.dtype === 'float64' ? dtype : 'i32';
  return tensor(Float64Array.from(array.data), { shape: array.shape, dtype: format, device });
}

/** One array of a case; a misspelt name fails here, not later. */
export function arrayOf(arrays: GoldenCase['inputs'], name: string): GoldenArray {
  const array = arrays[name];
  if (array === undefined) throw new RangeError(`no array '${name}' among ${Object.keys(arrays).join(', ')}`);
  return array;
}

export function configOf({ params }: GoldenCase): ModelOptions {
  const shared = {
    vocabSize: params.vocab_size as number,
    dModel: params.hidden_size as number,
    numLayers: params.num_hidden_layers as number,
    dState: params.state_size as number,
    dConv: params.conv_kernel as number,
    expand: params.expand as number,
    tieEmbeddings: params.tie_word_embeddings as boolean,
    useBias: params.use_bias as boolean,
    useConvBias: params.use_conv_bias as boolean,
    normEps: params.layer_norm_epsilon as number,
  };
  if (params.arch === 'mamba')
    return { architecture: 'mamba', ...shared, dtRank: params.time_step_rank as number };
  const limit = params.time_step_limit as [number, number] | null;
  return {
    architecture: 'mamba2',
    ...shared,
    headDim: params.head_dim as number,
    nGroups: params.n_groups as number,
    chunkSize: params.chunk_size as number,
    ...(limit === null ? {} : { timeStepLimit: limit }),
  };
}

/** The model of a case, with its weights. */
export function modelOf(golden: GoldenCase, place: Place): CausalLM {
  const model = createModel(configOf(golden), place);
  const weights = Object.entries(golden.inputs).filter(
    ([name]) => name !== 'input_ids' && name !== 'targets',
  );
  model.loadState(new Map(weights.map(([name, array]) => [name, goldenTensor(array, place)])));
  return model;
}
