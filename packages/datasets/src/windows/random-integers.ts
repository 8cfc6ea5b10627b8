/** Unbiased random integers from the counter-based generator Philox 4x32-10. */
import { philox4x32 } from '@statespace/ssd-core';

/** A sequence of 32-bit words that depends on (seed, stream) alone. */
export class RandomIntegers {
  readonly #seed: number;
  readonly #stream: number;
  #block = 0;
  #words: ArrayLike<number> = [];
  #used = 4;

  /** @param seed key, an integer below 2^53; `stream` separates independent sequences. */
  constructor(seed: number, stream = 0) {
    this.#seed = seed;
    this.#stream = stream;
  }

  /** The next 32 random bits. */
  word(): number {
    if (this.#used === 4) {
      this.#words = philox4x32({ seed: this.#seed, stream: this.#stream, offset: this.#block++ });
      this.#used = 0;
    }
    return (this.#words[this.#used++] as number) >>> 0;
  }

  /** A uniform integer in [0, bound), bound from 1 to 2^32: words above the last full multiple are drawn again. */
  below(bound: number): number {
    const usable = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const word = this.word();
      if (word < usable) return word % bound;
    }
  }

  /** The numbers 0 to size - 1 in random order (Fisher-Yates). */
  permutation(size: number): Int32Array {
    const order = new Int32Array(size);
    for (let i = 0; i < size; i++) order[i] = i;
    for (let i = size - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const held = order[i] as number;
      order[i] = order[j] as number;
      order[j] = held;
    }
    return order;
  }
}
