/** Mamba without selection as a language model: `mamba_SSD_diag_exp` of Hu et al. 2025, arXiv:2510.04944, Table 1. */
import type { MambaDiagConfig } from '../config/model-config.js';
import { CausalLM } from '../language-model/causal-lm.js';
import type { ParameterSource } from '../layers/parameter-source.js';
import { MambaDiagMixer } from './mamba-diag-mixer.js';

/** Tensor names are those of Hugging Face's `MambaForCausalLM` where Mamba has the same tensor. */
export class MambaDiagLM extends CausalLM<MambaDiagConfig> {
  constructor(source: ParameterSource, config: MambaDiagConfig) {
    super(source, config, () => new MambaDiagMixer(source, config));
  }
}
