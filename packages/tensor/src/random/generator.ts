/**
 * Random numbers by counter (Philox 4x32-10, Salmon et al. 2011): the same on every machine and device, and their
 * whole state is three integers.
 */
import {
  ArgumentError,
  type PhiloxPosition,
  philoxBlock,
  philoxBlocks,
  philoxNormal,
  philoxUniform,
} from '@statespace/ssd-core';

/** A generator of reproducible random numbers. Each draw starts at a fresh block of four numbers. */
export class Generator {
  private position: PhiloxPosition;

  /**
   * `seed` chooses the sequence, `stream` one of 2^53 independent ones of that seed.
   * @throws {ArgumentError} unless all three are integers in [0, 2^53).
   */
  constructor(seed: number, stream = 0, offset = 0) {
    this.position = checked({ seed, stream, offset });
  }

  static fromState(state: PhiloxPosition): Generator {
    return new Generator(state.seed, state.stream, state.offset);
  }

  get seed(): number {
    return this.position.seed;
  }
  get stream(): number {
    return this.position.stream;
  }
  /** Blocks of four 32-bit numbers used so far. */
  get offset(): number {
    return this.position.offset;
  }

  /** Plain numbers from which `setState` and `fromState` go on as this generator would. */
  state(): PhiloxPosition {
    return { ...this.position };
  }
  setState(state: PhiloxPosition): void {
    this.position = checked(state);
  }

  /** A generator of the same seed on another stream, at its start. */
  fork(stream: number): Generator {
    return new Generator(this.seed, stream);
  }

  /** Sets `count` numbers aside for a kernel, and returns where they start. */
  reserve(count: number): PhiloxPosition {
    const start = this.position;
    this.position = { ...start, offset: start.offset + philoxBlocks(count) };
    return start;
  }

  /** Numbers strictly inside (0, 1), exact in float32 too. */
  uniform(count: number): Float64Array {
    return philoxUniform(this.reserve(count), count);
  }

  /** Standard normal numbers. */
  normal(count: number): Float64Array {
    return philoxNormal(this.reserve(count), count);
  }

  /** Whole numbers in [0, below), each equally likely; `below` at most 2^31. */
  integers(count: number, below: number): Int32Array {
    if (!Number.isInteger(below) || below < 1 || below > 2147483648) {
      throw new ArgumentError({
        op: 'Generator.integers',
        argument: 'below',
        wanted: 'a whole number in [1, 2^31]',
        got: String(below),
      });
    }
    // Words at and above the last multiple of `below` would favour small results: draw again.
    const limit = 4294967296 - (4294967296 % below);
    const out = new Int32Array(count);
    const start = this.position;
    let block = 0;
    for (let filled = 0; filled < count; block++) {
      for (const word of philoxBlock(start, block)) {
        if (word < limit && filled < count) out[filled++] = word % below;
      }
    }
    this.position = { ...start, offset: start.offset + block };
    return out;
  }

  /** 0 ... n-1 in random order (Fisher & Yates). */
  permutation(n: number): Int32Array {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    const words = this.words(n);
    for (let i = n - 1; i > 0; i--) {
      // A 53-bit fraction: its bias, below n / 2^53, cannot be seen.
      const fraction =
        ((words[2 * i] as number) * 2097152 + ((words[2 * i + 1] as number) >>> 11)) / 9007199254740992;
      const j = Math.floor(fraction * (i + 1));
      const kept = order[i] as number;
      order[i] = order[j] as number;
      order[j] = kept;
    }
    return order;
  }

  /** Two 32-bit words for each of `count` numbers. */
  private words(count: number): Uint32Array {
    const out = new Uint32Array(2 * count);
    const start = this.reserve(out.length);
    for (let i = 0; i < out.length; i += 4) {
      const block = philoxBlock(start, i / 4);
      for (let lane = 0; lane < 4 && i + lane < out.length; lane++) out[i + lane] = block[lane] as number;
    }
    return out;
  }
}

function checked(position: PhiloxPosition): PhiloxPosition {
  const { seed, stream, offset } = position;
  for (const [argument, value] of Object.entries({ seed, stream, offset })) {
    if (Number.isSafeInteger(value) && value >= 0) continue;
    throw new ArgumentError({
      op: 'Generator',
      argument,
      wanted: 'a whole number in [0, 2^53)',
      got: String(value),
    });
  }
  return { seed, stream, offset };
}
