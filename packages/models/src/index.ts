/** State-space language models: Mamba, its time-invariant twin and Mamba-2, their checkpoints and generation. */

export { loadPretrained } from './checkpoint/load-pretrained.js';
export { type SavePretrainedOptions, savePretrained } from './checkpoint/save-pretrained.js';
export { completeConfig } from './config/complete-config.js';
export {
  type DiagonalScanConfig,
  headCount,
  innerWidth,
  type Mamba2Config,
  type MambaConfig,
  type MambaDiagConfig,
  type ModelConfig,
  type ModelOptions,
  type SharedConfig,
} from './config/model-config.js';
export { type CreateModelOptions, createModel, type StateSpaceLM } from './create-model.js';
export { type GenerateOptions, generate } from './generation/generate.js';
export { type SamplingOptions, sampleToken } from './generation/sampling.js';
export { Backbone } from './language-model/backbone.js';
export { CausalLM } from './language-model/causal-lm.js';
export type { LanguageModel, LossResult } from './language-model/language-model.js';
export { ModelState } from './language-model/model-state.js';
export { Block, Mixer } from './layers/block.js';
export { decayRates } from './layers/decay-rates.js';
export { DepthwiseConv } from './layers/depthwise-conv.js';
export { Embedding } from './layers/embedding.js';
export type { LayerState, LayerStateShapes } from './layers/layer-state.js';
export { Linear, type LinearOptions } from './layers/linear.js';
export { Module, type ModuleEntry } from './layers/module.js';
export {
  blankParameters,
  constant,
  fanInUniform,
  type InitialDraws,
  type InitialValues,
  normalWith,
  type ParameterMetadata,
  type ParameterPlace,
  type ParameterSource,
  randomParameters,
  uniformWithin,
} from './layers/parameter-source.js';
export { RmsNorm, type RmsNormOptions } from './layers/rms-norm.js';
export { logDecayRates, logRamp, logUniform, stepBias, unitStateGain } from './layers/state-space-init.js';
export { MambaLM } from './mamba/mamba-lm.js';
export { MambaMixer } from './mamba/mamba-mixer.js';
export { type DiagonalScanOptions, diagonalScan } from './mamba-diag/diagonal-scan.js';
export { MambaDiagLM } from './mamba-diag/mamba-diag-lm.js';
export { MambaDiagMixer } from './mamba-diag/mamba-diag-mixer.js';
export { Mamba2LM } from './mamba2/mamba2-lm.js';
export { Mamba2Mixer } from './mamba2/mamba2-mixer.js';
