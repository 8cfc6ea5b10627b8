/** Mamba-2 as a language model (Dao & Gu 2024, arXiv:2405.21060). */
import type { Mamba2Config } from '../config/model-config.js';
import { CausalLM } from '../language-model/causal-lm.js';
import type { ParameterSource } from '../layers/parameter-source.js';
import { Mamba2Mixer } from './mamba2-mixer.js';

/** Tensor names are those of Hugging Face's `Mamba2ForCausalLM`. */
export class Mamba2LM extends CausalLM<Mamba2Config> {
  constructor(source: ParameterSource, config: Mamba2Config) {
    super(source, config, () => new Mamba2Mixer(source, config));
  }
}
