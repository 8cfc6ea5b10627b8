/** The finite set of tokens a language model knows, and the numbers that stand for them. */
import { ArgumentError, FormatError } from '@statespace/ssd-core';
import { detokenize, END_OF_LINE, type TokenRule, tokenize, UNKNOWN } from './tokenize.js';

/** What `JSON.stringify(vocabulary)` holds. */
export interface VocabularyJson {
  readonly format: 'statespace-vocabulary';
  readonly version: 1;
  readonly rule: TokenRule;
  readonly tokens: readonly string[];
}

export interface VocabularyOptions {
  readonly rule: TokenRule;
  /** Largest size, `<unk>` and `<eos>` included; absent means all tokens of the text. */
  readonly maxVocab?: number;
}

/**
 * Tokens in order of their ids. `<unk>` is 0; where the rule has line ends `<eos>` is 1; then follow the
 * tokens of the training text, the most frequent first, equally frequent ones by UTF-16 code units.
 */
export class Vocabulary {
  readonly rule: TokenRule;
  readonly tokens: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;

  /**
   * @param tokens distinct tokens, `<unk>` among them.
   * @throws {FormatError} when a token repeats or `<unk>` is missing.
   */
  constructor(tokens: readonly string[], rule: TokenRule) {
    this.rule = rule;
    this.tokens = Object.freeze([...tokens]);
    this.#ids = new Map(this.tokens.map((token, id) => [token, id]));
    if (this.#ids.size !== this.tokens.length) {
      throw new FormatError({
        op: 'Vocabulary',
        argument: 'tokens',
        wanted: 'distinct tokens',
        got: 'a repeat',
      });
    }
    if (!this.#ids.has(UNKNOWN)) {
      throw new FormatError({
        op: 'Vocabulary',
        argument: 'tokens',
        wanted: `'${UNKNOWN}' among them`,
        got: 'none',
      });
    }
  }

  /**
   * The vocabulary of a training text.
   * @throws {ArgumentError} when `maxVocab` has no room for the special tokens and one more.
   */
  static fromText(text: string, options: VocabularyOptions): Vocabulary {
    return Vocabulary.fromTokens(tokenize(text, options.rule), options);
  }

  /** As `fromText`, from tokens that are cut already. */
  static fromTokens(tokens: Iterable<string>, { rule, maxVocab }: VocabularyOptions): Vocabulary {
    const special = rule === 'characters' ? [UNKNOWN] : [UNKNOWN, END_OF_LINE];
    const limit = maxVocab ?? Number.POSITIVE_INFINITY;
    if (maxVocab !== undefined && (!Number.isInteger(maxVocab) || maxVocab <= special.length)) {
      throw new ArgumentError({
        op: 'Vocabulary',
        argument: 'maxVocab',
        wanted: `an integer above ${special.length} (${special.join(', ')} take a place each)`,
        got: String(maxVocab),
      });
    }
    const counts = new Map<string, number>();
    for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
    for (const token of special) counts.delete(token);
    const ranked = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([token]) => token);
    return new Vocabulary([...special, ...ranked.slice(0, limit - special.length)], rule);
  }

  /** Number of tokens. */
  get size(): number {
    return this.tokens.length;
  }

  /** Id of `<unk>`. */
  get unknownId(): number {
    return this.#ids.get(UNKNOWN) as number;
  }

  /** Id of `<eos>`; undefined for characters, where the newline is a token of its own. */
  get endOfLineId(): number | undefined {
    return this.#ids.get(END_OF_LINE);
  }

  /** Id of one token; that of `<unk>` when it is not known. */
  idOf(token: string): number {
    return this.#ids.get(token) ?? this.unknownId;
  }

  /** Ids of a text. */
  encode(text: string): Int32Array {
    return this.encodeTokens(tokenize(text, this.rule));
  }

  /** Ids of tokens that are cut already. */
  encodeTokens(tokens: readonly string[]): Int32Array {
    const unknown = this.unknownId;
    const ids = new Int32Array(tokens.length);
    for (let i = 0; i < ids.length; i++) ids[i] = this.#ids.get(tokens[i] as string) ?? unknown;
    return ids;
  }

  /**
   * Readable text of `ids`.
   * @throws {ArgumentError} when an id is outside the vocabulary.
   */
  decode(ids: Iterable<number>): string {
    const tokens: string[] = [];
    for (const id of ids) {
      const token = this.tokens[id];
      if (token === undefined) {
        throw new ArgumentError({
          op: 'Vocabulary.decode',
          argument: 'ids',
          wanted: `integers from 0 to ${this.size - 1}`,
          got: String(id),
        });
      }
      tokens.push(token);
    }
    return detokenize(tokens, this.rule);
  }

  toJSON(): VocabularyJson {
    return { format: 'statespace-vocabulary', version: 1, rule: this.rule, tokens: this.tokens };
  }

  /**
   * Reads what `toJSON` wrote.
   * @throws {FormatError} when `value` is something else.
   */
  static fromJSON(value: unknown): Vocabulary {
    const json = value as Partial<VocabularyJson> | null;
    const good =
      typeof json === 'object' &&
      json !== null &&
      json.format === 'statespace-vocabulary' &&
      json.version === 1 &&
      (json.rule === 'characters' || json.rule === 'spaces' || json.rule === 'words') &&
      Array.isArray(json.tokens) &&
      json.tokens.every((token) => typeof token === 'string');
    if (!good) {
      throw new FormatError({
        op: 'Vocabulary.fromJSON',
        wanted: "an object of format 'statespace-vocabulary', version 1, with a rule and tokens",
        got: describe(value),
      });
    }
    return new Vocabulary(json.tokens as string[], json.rule as TokenRule);
  }
}

function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return `an object with keys ${Object.keys(value).slice(0, 6).join(', ') || '(none)'}`;
}
