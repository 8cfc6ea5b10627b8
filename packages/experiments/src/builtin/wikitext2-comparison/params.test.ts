import { createModel } from '@statespace/models';
import { Generator } from '@statespace/tensor';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../config/parse-config.js';
import { schemaFlags } from '../../config/schema-flags.js';
import { modelOptions } from '../../train/model-options.js';
import { modelNames } from './models.js';
import { checkComparison, chosenModels, comparisonParams, trainingConfig, trainingFlags } from './params.js';

const parse = (value: object) => parseConfig(comparisonParams, value, 'test');

describe('the parameters of the comparison', () => {
  test('default to the configuration of the study', () => {
    const params = parse({});
    expect(params.seeds).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(chosenModels(params)).toEqual(['mamba_simple', 'mamba_SSD_diag_exp']);
    expect(trainingFlags(params)).toEqual({
      seq_len: 128,
      max_vocab: 20_000,
      train_max_samples: 5000,
      val_max_samples: 1000,
      d_model: 64,
      n_state: 16,
      n_layers: 2,
      epochs: 10,
      batch_size: 64,
      lr: 1e-3,
      weight_decay: 0.01,
      init: 'scaled',
    });
  });

  test.each([
    ['mamba_simple', 1_345_472],
    ['mamba_SSD_diag_exp', 1_343_168],
    ['mamba_simple_scalar', 1_341_632],
    ['mamba_SSD_scalar_exp', 1_339_328],
  ] as const)('make %s with %i parameters', (name, count) => {
    const config = trainingConfig(parse({}), name, 3);
    const options = modelOptions(config, 20_000);
    const model = createModel(options, { generator: new Generator(0), device: 'reference' });
    expect(model.parameterCount).toBe(count);
    expect(config).toMatchObject({ seed: 3, loss: 'last', trainer: { epochs: 10, batchSize: 64 } });
    expect(config.optimizer).toMatchObject({ lr: 1e-3, weightDecay: 0.01 });
    model.dispose();
  });

  test('have the spelling of the original', () => {
    const names = schemaFlags(comparisonParams).flatMap((flag) => flag.names);
    const original =
      '--models --seed --seq-len --max-vocab --train-max-samples --val-max-samples --d-model --n-state --n-layers ' +
      '--epochs --batch-size --lr --save-plots --plot-dir --init --ablation --data-dir';
    for (const name of original.split(' ')) expect(names).toContain(name);
  });

  test('every training parameter reaches the flags that tell trainings apart', () => {
    const base = JSON.stringify(trainingFlags(parse({})));
    const changes = [
      { seqLen: 64 },
      { maxVocab: 100 },
      { trainMaxSamples: 10 },
      { valMaxSamples: 10 },
      { dModel: 32 },
      { nState: 8 },
      { nLayers: 1 },
      { epochs: 1 },
      { batchSize: 32 },
      { lr: 0.1 },
      { weightDecay: 0 },
      { init: 'minimal' },
    ];
    for (const change of changes) {
      const params = parse(change);
      expect(JSON.stringify(trainingFlags(params)), JSON.stringify(change)).not.toBe(base);
      expect(trainingConfig(params, 'mamba_simple', 0)).not.toEqual(
        trainingConfig(parse({}), 'mamba_simple', 0),
      );
    }
  });

  test('the ablation is all four models', () => {
    expect(chosenModels(parse({ ablation: true }))).toEqual(modelNames);
    const both = parse({ ablation: true, models: ['mamba_simple'] });
    expect(() => checkComparison(both)).toThrow(/models: expected no list of models with --ablation/);
    expect(() => checkComparison(parse({ seed: 3 }))).toThrow(/seed: expected seeds/);
    expect(() => checkComparison(parse({ models: ['mamba_SSD_diag_exp'] }))).not.toThrow();
  });

  test.each([
    [{ models: ['mamba_simpel'] }, /models\[0\]/],
    [{ models: ['mamba_simple', 'mamba_simple'] }, /every model once/],
    [{ seeds: [1, 1] }, /every seed once/],
    [{ epochs: 0 }, /epochs/],
  ])('refuse %j', (value, message) => {
    expect(() => parse(value)).toThrow(message);
  });
});
