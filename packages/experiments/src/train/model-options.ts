/** The model section of a configuration as `createModel` takes it. */
import type { ModelOptions } from '@statespace/models';
import type { TrainConfig } from '../config/train-config.js';

/** Options of the model that `config` describes, with absent ones left to the model's own defaults. */
export function modelOptions({ model }: Pick<TrainConfig, 'model'>, vocabSize: number): ModelOptions {
  const given = Object.fromEntries(Object.entries(model).filter(([, value]) => value !== undefined));
  return { ...given, vocabSize } as ModelOptions;
}
