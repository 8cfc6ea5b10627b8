/** A text, cut into tokens and into a training and a held-out part. */
import type { Vocabulary } from './vocabulary.js';

export interface TextCorpus {
  /** `'wikitext-2'`, `'moby-dick'`. */
  readonly name: string;
  readonly level: 'char' | 'word';
  /** Made from the training part alone. */
  readonly vocabulary: Vocabulary;
  /** Token ids in the order of the text. */
  readonly train: Int32Array;
  readonly valid: Int32Array;
  readonly test?: Int32Array;
}
