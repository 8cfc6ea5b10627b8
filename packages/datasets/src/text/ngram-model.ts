/**
 * N-gram models with interpolated Witten-Bell smoothing: the floor that a trained model must beat.
 *
 *   p_0(w)   = 1 / V
 *   p_k(w|h) = (c(h w) + T(h) p_{k-1}(w|h')) / (c(h) + T(h))
 *
 * c counts in the training text, T(h) is the number of different tokens seen after h, and h' is h without its
 * oldest token. A history that was never seen leaves p_k = p_{k-1}. Each p_k sums to one over the vocabulary, and
 * nothing is fitted to the held-out text. Source: Witten & Bell 1991, method C; Chen & Goodman 1998, section 2.6.
 */
import { ArgumentError } from '@statespace/ssd-core';

/** N-grams of one length: ascending keys (base-V numbers, oldest token first) and cumulative counts. */
interface CountTable {
  readonly keys: Float64Array;
  /** `cumulative[i]` = occurrences of the keys before i; one entry more than keys. */
  readonly cumulative: Float64Array;
}

export class NgramModel {
  readonly vocabSize: number;
  /** Longest n-gram. */
  readonly order: number;
  readonly #tables: readonly CountTable[];

  /**
   * Counts the n-grams of `tokens` up to length `order` (1 to 3).
   * @throws {ArgumentError} when an id is outside [0, vocabSize), or vocabSize^order passes 2^53.
   */
  constructor(tokens: Int32Array, { vocabSize, order }: { vocabSize: number; order: number }) {
    if (![1, 2, 3].includes(order)) {
      throw new ArgumentError({
        op: 'NgramModel',
        argument: 'order',
        wanted: '1, 2 or 3',
        got: String(order),
      });
    }
    let largest = 1;
    for (let k = 0; k < order; k++) largest *= vocabSize;
    if (!Number.isInteger(vocabSize) || vocabSize < 1 || largest > Number.MAX_SAFE_INTEGER) {
      throw new ArgumentError({
        op: 'NgramModel',
        argument: 'vocabSize',
        wanted: `a positive integer whose power ${order} is below 2^53`,
        got: String(vocabSize),
      });
    }
    checkIds('tokens', tokens, vocabSize);
    this.vocabSize = vocabSize;
    this.order = order;
    this.#tables = Array.from({ length: order }, (_, k) => countTable(tokens, k + 1, vocabSize));
  }

  /** p(token | context), from the last `order - 1` tokens of `context`; shorter contexts use shorter n-grams. */
  probability(context: ArrayLike<number>, token: number, order: number = this.order): number {
    let probability = 1 / this.vocabSize;
    const longest = Math.min(order, this.order, context.length + 1);
    let history = 0;
    let place = 1;
    for (let k = 1; k <= longest; k++) {
      if (k > 1) {
        history += (context[context.length - k + 1] as number) * place;
        place *= this.vocabSize;
      }
      const { keys, cumulative } = this.#tables[k - 1] as CountTable;
      const first = lowerBound(keys, history * this.vocabSize, 0);
      const end = lowerBound(keys, (history + 1) * this.vocabSize, first);
      const kinds = end - first;
      if (kinds === 0) break; // a longer history that contains this one was not seen either
      const seen = (cumulative[end] as number) - (cumulative[first] as number);
      const key = history * this.vocabSize + token;
      const at = lowerBound(keys, key, first);
      const count = keys[at] === key ? (cumulative[at + 1] as number) - (cumulative[at] as number) : 0;
      probability = (count + kinds * probability) / (seen + kinds);
    }
    return probability;
  }

  /**
   * Mean of -ln p over all of `tokens`, in nats per token; the first tokens have the shorter histories.
   * @throws {ArgumentError} when an id is outside the vocabulary, or there are no tokens.
   */
  crossEntropy(tokens: Int32Array, order: number = this.order): number {
    if (tokens.length === 0) {
      throw new ArgumentError({ op: 'NgramModel', argument: 'tokens', wanted: 'at least one', got: 'none' });
    }
    checkIds('tokens', tokens, this.vocabSize);
    let sum = 0;
    for (let i = 0; i < tokens.length; i++) {
      const context = tokens.subarray(Math.max(0, i - order + 1), i);
      sum -= Math.log(this.probability(context, tokens[i] as number, order));
    }
    return sum / tokens.length;
  }
}

/** Cross-entropies of smoothed n-gram models, nats per token. */
export interface NgramEntropies {
  readonly unigram: number;
  readonly bigram: number;
  readonly trigram: number;
}

/**
 * Cross-entropy on `heldOut` of unigram, bigram and trigram models counted in `train`, nats per token,
 * interpolated Witten-Bell (see `NgramModel`).
 * @throws {ArgumentError} when an id is outside [0, vocabSize), or `heldOut` is empty.
 */
export function ngramEntropies(train: Int32Array, heldOut: Int32Array, vocabSize: number): NgramEntropies {
  const model = new NgramModel(train, { vocabSize, order: 3 });
  return {
    unigram: model.crossEntropy(heldOut, 1),
    bigram: model.crossEntropy(heldOut, 2),
    trigram: model.crossEntropy(heldOut, 3),
  };
}

function countTable(tokens: Int32Array, length: number, vocabSize: number): CountTable {
  const all = new Float64Array(Math.max(0, tokens.length - length + 1));
  for (let i = 0; i < all.length; i++) {
    let key = 0;
    for (let k = 0; k < length; k++) key = key * vocabSize + (tokens[i + k] as number);
    all[i] = key;
  }
  all.sort();
  let kinds = 0;
  for (let i = 0; i < all.length; i++) if (i === 0 || all[i] !== all[i - 1]) kinds++;
  const keys = new Float64Array(kinds);
  const cumulative = new Float64Array(kinds + 1);
  let at = -1;
  for (let i = 0; i < all.length; i++) {
    if (i === 0 || all[i] !== all[i - 1]) keys[++at] = all[i] as number;
    cumulative[at + 1] = i + 1;
  }
  return { keys, cumulative };
}

/** Index of the first entry that is not below `key`, from `start` on. */
function lowerBound(sorted: Float64Array, key: number, start: number): number {
  let low = start;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function checkIds(argument: string, tokens: Int32Array, vocabSize: number): void {
  for (const id of tokens) {
    if (id < 0 || id >= vocabSize) {
      throw new ArgumentError({
        op: 'NgramModel',
        argument,
        wanted: `ids from 0 to ${vocabSize - 1}`,
        got: String(id),
      });
    }
  }
}
