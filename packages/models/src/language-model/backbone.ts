/** Embedding, blocks and the last norm. */
import type { Tensor } from '@statespace/tensor';
import type { ModelConfig } from '../config/model-config.js';
import { Block, type Mixer } from '../layers/block.js';
import { Embedding } from '../layers/embedding.js';
import { Module, type ModuleEntry } from '../layers/module.js';
import type { ParameterSource } from '../layers/parameter-source.js';
import { RmsNorm } from '../layers/rms-norm.js';
import type { ModelState } from './model-state.js';

/** ids (B, L) to the residual stream (B, L, D); the caller applies `normF`, to all positions or to the last alone. */
export class Backbone extends Module {
  readonly embeddings: Embedding;
  readonly layers: readonly Block[];
  readonly normF: RmsNorm;

  constructor(source: ParameterSource, config: ModelConfig, makeMixer: () => Mixer) {
    super();
    const { vocabSize, dModel, normEps, numLayers } = config;
    this.embeddings = new Embedding(source, vocabSize, dModel, config.embeddingStd);
    this.layers = Array.from({ length: numLayers }, () => new Block(source, dModel, normEps, makeMixer()));
    this.normF = new RmsNorm(source, dModel, { eps: normEps });
  }

  protected entries(): readonly ModuleEntry[] {
    return [
      ['embeddings', this.embeddings],
      ...this.layers.map((layer, i): ModuleEntry => [`layers.${i}`, layer]),
      ['norm_f', this.normF],
    ];
  }

  forward(ids: Tensor): Tensor {
    let x = this.embeddings.forward(ids);
    for (const layer of this.layers) x = layer.forward(x);
    return x;
  }

  advance(ids: Tensor, state: ModelState): Tensor {
    let x = this.embeddings.forward(ids);
    for (const [i, layer] of this.layers.entries()) x = layer.advance(x, stateOf(state, i));
    return x;
  }

  step(ids: Tensor, state: ModelState): Tensor {
    let x = this.embeddings.forward(ids);
    for (const [i, layer] of this.layers.entries()) x = layer.step(x, stateOf(state, i));
    return x;
  }
}

function stateOf(state: ModelState, layer: number): ModelState['layers'][number] {
  return state.layers[layer] as ModelState['layers'][number];
}
