/** Token embedding. */
import { embedding, type Parameter, type Tensor } from '@statespace/tensor';
import { Module, type ModuleEntry } from './module.js';
import { normalWith, type ParameterSource } from './parameter-source.js';

/** y[b, t] = W[ids[b, t]]; ids i32 (...), W (V, D), y (..., D). */
export class Embedding extends Module {
  readonly weight: Parameter;

  /** @param std standard deviation of the initial normal values. */
  constructor(source: ParameterSource, vocabSize: number, width: number, std: number) {
    super();
    this.weight = source.create([vocabSize, width], normalWith(std), { decay: true });
  }

  protected entries(): readonly ModuleEntry[] {
    return [['weight', this.weight]];
  }

  forward(ids: Tensor): Tensor {
    return embedding(this.weight, ids);
  }
}
