import { describe, expect, it } from 'vitest';
import { Vocabulary } from './vocabulary.js';

describe('Vocabulary of space-separated words', () => {
  const text = ' b a a\n c b a <unk> d\n\n';

  it('puts <unk> and <eos> first, then tokens by frequency, ties by code unit', () => {
    const vocabulary = Vocabulary.fromText(text, { rule: 'spaces' });
    expect(vocabulary.tokens).toEqual(['<unk>', '<eos>', 'a', 'b', 'c', 'd']);
    expect([vocabulary.size, vocabulary.unknownId, vocabulary.endOfLineId]).toEqual([6, 0, 1]);
  });

  it('keeps the most frequent maxVocab tokens and encodes the rest as <unk>', () => {
    const vocabulary = Vocabulary.fromText(text, { rule: 'spaces', maxVocab: 4 });
    expect(vocabulary.tokens).toEqual(['<unk>', '<eos>', 'a', 'b']);
    expect([...vocabulary.encode('a c\nb')]).toEqual([2, 0, 1, 3]);
  });

  it('makes one <eos> of every newline', () => {
    const vocabulary = Vocabulary.fromText(text, { rule: 'spaces' });
    expect([...vocabulary.encode(text)].filter((id) => id === 1)).toHaveLength(3);
    expect(vocabulary.decode(vocabulary.encode('b a\nc'))).toBe('b a\nc');
  });

  it('orders by code units, whatever the locale', () => {
    const vocabulary = Vocabulary.fromText('ä z a Z', { rule: 'spaces' });
    expect(vocabulary.tokens.slice(2)).toEqual(['Z', 'a', 'z', 'ä']);
  });

  it('refuses a maxVocab without room, repeats, a missing <unk>, and ids outside', () => {
    expect(() => Vocabulary.fromText('a', { rule: 'spaces', maxVocab: 2 })).toThrow(/maxVocab/);
    expect(() => new Vocabulary(['<unk>', 'a', 'a'], 'spaces')).toThrow(/distinct/);
    expect(() => new Vocabulary(['a'], 'spaces')).toThrow(/<unk>/);
    expect(() => Vocabulary.fromText('a', { rule: 'spaces' }).decode([3])).toThrow(/0 to 2, got 3/);
  });
});

describe('Vocabulary of characters', () => {
  it('round-trips text, code points beyond 16 bits too', () => {
    const text = 'a\n𝒜b a';
    const vocabulary = Vocabulary.fromText(text, { rule: 'characters' });
    expect(vocabulary.tokens).toEqual(['<unk>', 'a', '\n', ' ', 'b', '𝒜']);
    expect(vocabulary.decode(vocabulary.encode(text))).toBe(text);
    expect([...vocabulary.encode('q')]).toEqual([0]);
  });
});

describe('Vocabulary of prose', () => {
  const text = 'Call me Ishmael.  Some\nyears ago—never mind: the whale’s (white) back-fin!\n\nThe “end”.';

  it('cuts words and marks, joins wrapped lines and ends paragraphs', () => {
    const vocabulary = Vocabulary.fromText(text, { rule: 'words' });
    expect(vocabulary.idOf('whale’s')).not.toBe(0);
    expect(vocabulary.idOf('back-fin')).not.toBe(0);
    expect(vocabulary.decode(vocabulary.encode(text))).toBe(
      text.replace('  ', ' ').replace('Some\n', 'Some '),
    );
  });
});

describe('Vocabulary as JSON', () => {
  it('is the same after a round trip', () => {
    const vocabulary = Vocabulary.fromText('a b a', { rule: 'spaces' });
    const again = Vocabulary.fromJSON(JSON.parse(JSON.stringify(vocabulary)));
    expect(again.tokens).toEqual(vocabulary.tokens);
    expect(again.rule).toBe('spaces');
  });

  it.each([null, 3, {}, { format: 'statespace-vocabulary', version: 2, rule: 'spaces', tokens: [] }])(
    'refuses %j',
    (value) => {
      expect(() => Vocabulary.fromJSON(value)).toThrow(/statespace-vocabulary/);
    },
  );
});
