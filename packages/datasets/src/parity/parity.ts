/** Parity: the smallest task that needs a state, and that a diagonal positive recurrence cannot keep. */
import { ArgumentError } from '@statespace/ssd-core';
import { Generator } from '@statespace/tensor';

export interface ParityOptions {
  /** Number of sequences. */
  readonly count: number;
  /** Bits of the shortest sequence. */
  readonly minLength: number;
  /** Bits of the longest one, which every row is padded to. */
  readonly maxLength: number;
  /** An integer from 0 to 2^53 - 1. */
  readonly seed: number;
  /** Separates independent sets of one seed, such as training and test. Default 0. */
  readonly stream?: number;
}

/** Random bit sequences with their parities, row-major. */
export interface ParitySequences {
  readonly count: number;
  /** Length of a row, `maxLength`. */
  readonly seqLen: number;
  /** 3: the bits 0 and 1, and the padding 2. */
  readonly vocabSize: number;
  /** Bits, then `PARITY_PADDING`, (count, seqLen). */
  readonly inputs: Int32Array;
  /** Parity of the bits up to and with each position, then `PARITY_IGNORE`, (count, seqLen). */
  readonly targets: Int32Array;
  /** Parity of the whole sequence, (count). */
  readonly lastTargets: Int32Array;
  /** Bits of each sequence, uniform from minLength to maxLength, (count). */
  readonly lengths: Int32Array;
}

/** Token that fills the rows after the last bit. */
export const PARITY_PADDING = 2;
/** Target that losses leave out. */
export const PARITY_IGNORE = -100;

/** Streams from here on: apart from those that draw weights or the order of samples of the same seed. */
const firstStream = 2 ** 41;

/**
 * Seeded parity sequences: targets[t] = bits[0] xor ... xor bits[t].
 * @throws {ArgumentError} when a size is not a positive integer or the range of lengths is empty.
 */
export function paritySequences(options: ParityOptions): ParitySequences {
  const { count, minLength, maxLength, seed, stream = 0 } = options;
  for (const [argument, value] of Object.entries({ count, minLength, maxLength })) {
    if (!Number.isInteger(value) || value < 1) fail(argument, 'a positive integer', value);
  }
  if (maxLength < minLength) fail('maxLength', `at least minLength = ${minLength}`, maxLength);
  if (!Number.isSafeInteger(seed) || seed < 0) fail('seed', 'an integer from 0 to 2^53 - 1', seed);

  const generator = new Generator(seed, firstStream + stream);
  const lengths = generator.integers(count, maxLength - minLength + 1).map((extra) => minLength + extra);
  const bits = generator.integers(count * maxLength, 2);
  const inputs = new Int32Array(count * maxLength).fill(PARITY_PADDING);
  const targets = new Int32Array(count * maxLength).fill(PARITY_IGNORE);
  const lastTargets = new Int32Array(count);
  for (let row = 0; row < count; row++) {
    const start = row * maxLength;
    let parity = 0;
    for (let at = start; at < start + (lengths[row] as number); at++) {
      const bit = bits[at] as number;
      parity ^= bit;
      inputs[at] = bit;
      targets[at] = parity;
    }
    lastTargets[row] = parity;
  }
  return { count, seqLen: maxLength, vocabSize: 3, inputs, targets, lastTargets, lengths };
}

function fail(argument: string, wanted: string, got: number): never {
  throw new ArgumentError({ op: 'paritySequences', argument, wanted, got: String(got) });
}
