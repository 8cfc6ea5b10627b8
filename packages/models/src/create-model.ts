/** New models from their sizes. */
import { Generator } from '@statespace/tensor';
import { completeConfig } from './config/complete-config.js';
import type { ModelConfig, ModelOptions } from './config/model-config.js';
import { type ParameterPlace, type ParameterSource, randomParameters } from './layers/parameter-source.js';
import { MambaLM } from './mamba/mamba-lm.js';
import { MambaDiagLM } from './mamba-diag/mamba-diag-lm.js';
import { Mamba2LM } from './mamba2/mamba2-lm.js';

/** Any model that `createModel` makes and checkpoints hold. */
export type StateSpaceLM = MambaLM | MambaDiagLM | Mamba2LM;

export interface CreateModelOptions extends ParameterPlace {
  /** Where initial values come from; it moves on. Default: seed 0. */
  readonly generator?: Generator;
}

/**
 * A model with fresh parameters, initialised as in mamba_ssm. The same configuration and generator give the same
 * numbers on every device.
 * @throws {ConfigError} for an unknown key or sizes that do not fit.
 */
export function createModel(
  config: ModelOptions & { architecture: 'mamba' },
  options?: CreateModelOptions,
): MambaLM;
export function createModel(
  config: ModelOptions & { architecture: 'mamba-diag' },
  options?: CreateModelOptions,
): MambaDiagLM;
export function createModel(
  config: ModelOptions & { architecture: 'mamba2' },
  options?: CreateModelOptions,
): Mamba2LM;
export function createModel(config: ModelOptions, options?: CreateModelOptions): StateSpaceLM;
export function createModel(config: ModelOptions, options: CreateModelOptions = {}): StateSpaceLM {
  const { generator = new Generator(0), ...place } = options;
  return buildModel(randomParameters(generator, place), completeConfig(config));
}

/** A model with parameters from `source`. */
export function buildModel(source: ParameterSource, config: ModelConfig): StateSpaceLM {
  switch (config.architecture) {
    case 'mamba':
      return new MambaLM(source, config);
    case 'mamba-diag':
      return new MambaDiagLM(source, config);
    case 'mamba2':
      return new Mamba2LM(source, config);
  }
}
