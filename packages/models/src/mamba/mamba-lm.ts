/** Mamba as a language model (Gu & Dao 2023, arXiv:2312.00752). */
import type { MambaConfig } from '../config/model-config.js';
import { CausalLM } from '../language-model/causal-lm.js';
import type { ParameterSource } from '../layers/parameter-source.js';
import { MambaMixer } from './mamba-mixer.js';

/** Tensor names are those of Hugging Face's `MambaForCausalLM`. */
export class MambaLM extends CausalLM<MambaConfig> {
  constructor(source: ParameterSource, config: MambaConfig) {
    super(source, config, () => new MambaMixer(source, config));
  }
}
