import { describe, expect, it } from 'vitest';
import { completeConfig } from './complete-config.js';
import type { ModelOptions } from './model-config.js';

const mamba = { architecture: 'mamba', vocabSize: 100, dModel: 40, numLayers: 2 } as const;
const mamba2 = { ...mamba, architecture: 'mamba2', headDim: 20 } as const;

describe('completeConfig', () => {
  it('fills in the defaults of mamba_ssm', () => {
    expect(completeConfig(mamba)).toMatchObject({
      dState: 16,
      expand: 2,
      dConv: 4,
      dtRank: 3,
      tieEmbeddings: true,
    });
    expect(completeConfig(mamba2)).toMatchObject({
      dState: 128,
      nGroups: 1,
      chunkSize: 256,
      timeStepLimit: [0, Number.POSITIVE_INFINITY],
      normGroups: 1,
    });
  });

  it('starts the embedding of the minimal initialisation at standard deviation 1', () => {
    const std = (options: object) => completeConfig({ ...mamba, ...options }).embeddingStd;
    expect([std({}), std({ init: 'minimal' }), std({ init: 'minimal', embeddingStd: 0.3 })]).toEqual([
      0.02, 1, 0.3,
    ]);
  });

  it('takes undefined for absent', () => {
    expect(completeConfig({ ...mamba, dState: undefined } as unknown as ModelOptions).dState).toBe(16);
  });

  it.each<[object, RegExp]>([
    [{ ...mamba, dmodel: 3 }, /dmodel.*one of .*dModel/],
    [{ ...mamba, headDim: 8 }, /headDim.*unknown key/],
    [{ ...mamba, architecture: 's4' }, /architecture: expected 'mamba', 'mamba-diag' or 'mamba2', got s4/],
    [{ ...mamba, architecture: 'mamba-diag', dtRank: 4 }, /dtRank.*unknown key/],
    [{ ...mamba2, decay: 'scalar' }, /decay.*unknown key/],
    [{ ...mamba, decay: 'dense' }, /decay: expected 'diagonal' or 'scalar', got dense/],
    [{ ...mamba, init: 'zero' }, /init: expected 'scaled' or 'minimal', got zero/],
    [{ ...mamba, init: 'minimal', timeStepMin: 0.01 }, /timeStepMin: expected init 'scaled'/],
    [{ ...mamba, vocabSize: 0 }, /vocabSize/],
    [{ ...mamba, vocabSize: undefined }, /vocabSize: expected a positive integer, got undefined/],
    [{ ...mamba, dConv: 1 }, /dConv/],
    [{ ...mamba, expand: 0.33 }, /expand/],
    [{ ...mamba, tieEmbeddings: 'yes' }, /tieEmbeddings/],
    [{ ...mamba, timeStepMax: 1e-4 }, /timeStepMax/],
    [{ ...mamba2, headDim: 64 }, /headDim: expected a divisor of expand \* dModel = 80, got 64/],
    [{ ...mamba2, nGroups: 3 }, /nGroups: expected a divisor of the 4 heads/],
    [{ ...mamba2, normGroups: 3 }, /normGroups/],
    [{ ...mamba2, timeStepLimit: [1, 0] }, /timeStepLimit/],
  ])('refuses %j', (options, message) => {
    expect(() => completeConfig(options as ModelOptions)).toThrow(message);
  });
});
