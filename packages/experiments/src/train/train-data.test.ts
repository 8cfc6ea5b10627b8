import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { wikitext2Preset } from '../builtin/wikitext2.js';
import { parseConfig } from '../config/parse-config.js';
import { trainConfigSchema } from '../config/train-config.js';
import { tinyConfig } from '../testing/tiny-training.js';
import { planSteps } from './batch-plan.js';
import { loadTrainData } from './train-data.js';

describe('loadTrainData', () => {
  test('Moby Dick: windows, vocabulary, and floors on the very windows that are judged', async () => {
    const config = parseConfig(
      trainConfigSchema,
      { data: { name: 'moby-dick', seqLen: 64, valMaxSamples: 50 } },
      'test',
    );
    const data = await loadTrainData(config);
    expect(data.heldOut.count).toBe(50);
    expect(data.vocabSize).toBe(data.vocabulary?.size);
    const { unigram = 0, bigram = 0, trigram = 0 } = data.references;
    expect(Math.log(data.vocabSize)).toBeGreaterThan(unigram);
    expect(unigram).toBeGreaterThan(bigram);
    expect(bigram).toBeGreaterThan(trigram);
    const all = await loadTrainData({ ...config, data: { ...config.data, valMaxSamples: undefined } });
    expect(all.references.bigram).not.toBe(bigram);
  });

  test('parity: as many rows as asked for, the held-out ones others than the training ones', async () => {
    const { train, heldOut } = await loadTrainData(tinyConfig({ data: { seqLen: 32 } }));
    expect([train.count, heldOut.count]).toEqual([20, 4]);
    const [a, b] = [train.gather([0, 1, 2, 3]), heldOut.gather([0, 1, 2, 3])];
    expect(a.inputs).not.toEqual(b.inputs);
    a.lastTargets.forEach((parity, row) => {
      const bits = a.inputs.subarray(row * 32, (row + 1) * 32);
      expect(parity).toBe(bits.reduce((sum, bit) => sum + bit, 0) % 2);
    });
  });

  const corpus = join(process.env.STATESPACE_DATA ?? '', 'wikitext-2');
  test.skipIf(!process.env.STATESPACE_DATA || !existsSync(corpus))(
    'WikiText-2 as in the study: 20,000 words, 5,000 and 1,000 windows, 79 steps an epoch',
    async () => {
      const input = { ...wikitext2Preset, data: { ...wikitext2Preset.data, dataDir: corpus } };
      const config = parseConfig(trainConfigSchema, input, 'test');
      const data = await loadTrainData(config);
      expect([data.vocabSize, data.train.count, data.heldOut.count, data.test?.count]).toEqual([
        20_000, 5000, 1000, 1000,
      ]);
      expect(planSteps(config, data.train.count)).toMatchObject({
        totalSteps: 790,
        stepsPerEpoch: 79,
        evalEvery: 79,
      });
      expect(Object.keys(data.references)).toEqual(['unigram', 'bigram', 'trigram']);
    },
  );
});
