import { Generator, memoryStats, tensor } from '@statespace/tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { createModel } from '../create-model.js';
import { type GenerateOptions, generate } from './generate.js';

const model = createModel(
  { architecture: 'mamba', vocabSize: 13, dModel: 16, numLayers: 2, dState: 4, embeddingStd: 0.3 },
  { generator: new Generator(1), device: 'reference' },
);
const prompt = Int32Array.of(3, 1, 4, 1, 5);

async function collect(options: GenerateOptions): Promise<number[]> {
  const tokens: number[] = [];
  for await (const token of generate(model, prompt, options)) tokens.push(token);
  return tokens;
}

afterAll(() => model.dispose());

describe('generate', () => {
  it('gives the same tokens for the same seed, others for another', async () => {
    const first = await collect({ maxTokens: 24, seed: 5 });
    expect(first).toHaveLength(24);
    expect(await collect({ maxTokens: 24, seed: 5 })).toEqual(first);
    expect(await collect({ maxTokens: 24, seed: 6 })).not.toEqual(first);
    expect(await collect({ maxTokens: 10, seed: 5 })).toEqual(first.slice(0, 10));
  });

  it('at temperature 0 takes the largest logit of the parallel form, again and again', async () => {
    const made = await collect({ maxTokens: 8, temperature: 0 });
    const sequence = [...prompt];
    for (const token of made) {
      const ids = tensor(Int32Array.from(sequence), { shape: [1, sequence.length], device: 'reference' });
      const best = model.forward(ids).select(1, -1).argmax().toArray()[0];
      expect(token).toBe(best);
      sequence.push(token);
    }
  });

  it('ends before a stop token, and makes nothing when nothing is asked for', async () => {
    const free = await collect({ maxTokens: 12, temperature: 0 });
    const stop = free[3] as number;
    const stopped = await collect({ maxTokens: 12, temperature: 0, stopTokens: [stop] });
    expect(stopped).toEqual(free.slice(0, free.indexOf(stop)));
    expect(await collect({ maxTokens: 0 })).toEqual([]);
  });

  it('stops on abort, before and in the middle', async () => {
    await expect(collect({ maxTokens: 3, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    });
    const controller = new AbortController();
    const seen: number[] = [];
    const run = async () => {
      for await (const token of generate(model, prompt, { maxTokens: 100, signal: controller.signal })) {
        seen.push(token);
        if (seen.length === 3) controller.abort();
      }
    };
    await expect(run()).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(seen).toHaveLength(3);
  });

  it('gives all its memory back, also after break', async () => {
    const before = memoryStats();
    await collect({ maxTokens: 30 });
    for await (const token of generate(model, prompt, { maxTokens: 30 })) if (token >= 0) break;
    expect(memoryStats().buffers).toBe(before.buffers);
  });

  it('refuses bad options at once', () => {
    expect(() => generate(model, new Int32Array(0), { maxTokens: 1 })).toThrow(/prompt/);
    expect(() => generate(model, prompt, { maxTokens: -1 })).toThrow(/maxTokens/);
    expect(() => generate(model, prompt, { maxTokens: 1, topP: 2 })).toThrow(/topP/);
    expect(() => generate(model, prompt, { maxTokens: 1, seed: 0.5 })).toThrow(/seed/);
  });

  it('refuses a token outside the vocabulary', async () => {
    const outside = generate(model, Int32Array.of(13), { maxTokens: 1 });
    await expect(outside.next()).rejects.toThrow(/13/);
  });
});
