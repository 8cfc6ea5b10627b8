import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { ngramEntropies } from '../text/ngram-model.js';
import { loadMobyDick, readNovel, splitNovel } from './moby-dick.js';

describe('loadMobyDick', () => {
  it('gives the characters of the novel, the last tenth held out', async () => {
    const { vocabulary, train, valid } = await loadMobyDick({ level: 'char' });
    const text = await readNovel(createRequire(import.meta.url).resolve);
    expect(vocabulary.decode(train.slice(0, 41))).toBe('CHAPTER 1. Loomings.\n\nCall me Ishmael. So');
    expect(vocabulary.decode(train) + vocabulary.decode(valid)).toBe(text);
    expect(valid.length / text.length).toBeCloseTo(0.1, 4);
    expect(valid).not.toContain(vocabulary.unknownId);
  });

  it('gives words with a limited vocabulary', async () => {
    const { vocabulary, train, valid } = await loadMobyDick({ level: 'word', maxVocab: 5000, heldOut: 0.2 });
    expect(vocabulary.size).toBe(5000);
    expect(vocabulary.tokens.slice(0, 4)).toEqual(['<unk>', '<eos>', ',', 'the']);
    expect(valid.length / (train.length + valid.length)).toBeCloseTo(0.2, 1);
    const unknown = valid.filter((id) => id === 0).length / valid.length;
    expect(unknown).toBeGreaterThan(0);
    expect(unknown).toBeLessThan(0.15);
  });

  it('has n-gram entropies that fall with the order', async () => {
    const { vocabulary, train, valid } = await loadMobyDick({ level: 'char' });
    const { unigram, bigram, trigram } = ngramEntropies(train, valid, vocabulary.size);
    expect(unigram).toBeGreaterThan(2.8);
    expect(bigram).toBeLessThan(2.5);
    expect(trigram).toBeLessThan(2.1);
  });

  it('names the missing package and the command that installs it', async () => {
    const missing = () => {
      throw new Error('Cannot find module');
    };
    await expect(readNovel(missing)).rejects.toThrow(/npm install @stdlib\/datasets-moby-dick/);
    await expect(readNovel(() => '/nowhere/data.txt')).rejects.toMatchObject({ code: 'ERR_DATA' });
  });

  it('cuts at white space, and refuses shares out of range', () => {
    const { vocabulary, train, valid } = splitNovel('abcd efgh ij', { level: 'char', heldOut: 0.5 });
    expect(vocabulary.size).toBeGreaterThan(9);
    expect([train.length, valid.length]).toEqual([9, 3]);
    expect(() => splitNovel('a b', { level: 'char', heldOut: 1 })).toThrow(/heldOut/);
    expect(() => splitNovel('a b', { level: 'byte' as 'char' })).toThrow(/level/);
  });
});
