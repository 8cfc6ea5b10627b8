/** Root-mean-square norm, plain and gated. */
import { type Parameter, rmsNorm, type Tensor } from '@statespace/tensor';
import { Module, type ModuleEntry } from './module.js';
import { constant, type ParameterSource } from './parameter-source.js';

export interface RmsNormOptions {
  readonly eps: number;
  /** Channels that are normalised together. Default: all. */
  readonly groupSize?: number;
}

/**
 * y = v rsqrt(mean(v^2) + eps) W with v = x, or v = x SiLU(gate) where a gate is given (Mamba-2: gate before norm).
 * x, gate, y (..., D); W (D). Source: Zhang & Sennrich 2019, arXiv:1910.07467.
 */
export class RmsNorm extends Module {
  readonly weight: Parameter;
  readonly #options: RmsNormOptions;

  constructor(source: ParameterSource, width: number, options: RmsNormOptions) {
    super();
    this.weight = source.create([width], constant(1), { decay: false });
    this.#options = options;
  }

  protected entries(): readonly ModuleEntry[] {
    return [['weight', this.weight]];
  }

  forward(x: Tensor, gate?: Tensor): Tensor {
    return rmsNorm(x, this.weight, gate === undefined ? this.#options : { ...this.#options, gate });
  }
}
