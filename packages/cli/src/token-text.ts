/** Text that grows token by token: what each new token adds, spaces between words included. */
import type { Vocabulary } from '@statespace/datasets';

export class TokenText {
  /** The prompt as the model reads it: unknown words stand as `<unk>`. */
  readonly start: string;
  readonly #vocabulary: Vocabulary;
  readonly #ids: number[];
  readonly #promptLength: number;
  #text: string;

  constructor(vocabulary: Vocabulary, prompt: Int32Array) {
    this.#vocabulary = vocabulary;
    this.#ids = [...prompt];
    this.#promptLength = prompt.length;
    this.start = vocabulary.decode(prompt);
    this.#text = this.start;
  }

  /** The text that `id` adds. */
  add(id: number): string {
    this.#ids.push(id);
    // Spacing depends on the neighbours, so the whole is decoded again; texts written here are short.
    const text = this.#vocabulary.decode(this.#ids);
    const added = text.slice(this.#text.length);
    this.#text = text;
    return added;
  }

  get whole(): string {
    return this.#text;
  }

  /** Ids after the prompt. */
  get generated(): number[] {
    return this.#ids.slice(this.#promptLength);
  }
}
