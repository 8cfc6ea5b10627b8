/**
 * Philox4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3"
 * (SC 2011), and the rules by which its words become floating-point numbers.
 */
import type { PhiloxPosition } from '../../kernels/dense-args.js';

const multiplier0 = 0xd2511f53;
const multiplier1 = 0xcd9e8d57;
const weyl0 = 0x9e3779b9;
const weyl1 = 0xbb67ae85;
const rounds = 10;
const twoTo32 = 4294967296;

/** Four 32-bit words, least significant first where they stand for one number. */
export type Words4 = readonly [number, number, number, number];
export type Words2 = readonly [number, number];

/** One block: four 32-bit words for a 128-bit counter and a 64-bit key. */
export function philox4x32(counter: Words4, key: Words2): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < rounds; round++) {
    const high0 = multiplyHigh(multiplier0, c0);
    const low0 = Math.imul(multiplier0, c0);
    const high1 = multiplyHigh(multiplier1, c2);
    const low1 = Math.imul(multiplier1, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + weyl0) >>> 0;
    k1 = (k1 + weyl1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/**
 * The four words of block `offset + block` of a generator: the key is `seed`, the 128-bit counter is
 * (stream << 64) + offset + block; words are least significant first.
 */
export function philoxBlock(generator: PhiloxPosition, block: number): [number, number, number, number] {
  const low = generator.offset + block;
  return philox4x32(
    [low >>> 0, upperWord(low), generator.stream >>> 0, upperWord(generator.stream)],
    [generator.seed >>> 0, upperWord(generator.seed)],
  );
}

/** Words that make `count` numbers take this many blocks; add it to the offset before the next draw. */
export function philoxBlocks(count: number): number {
  return Math.ceil(count / 4);
}

/**
 * Uniform numbers, element i from word w = word (i mod 4) of block floor(i / 4): u = ((w >>> 9) + 0.5) * 2^-23.
 * Exact in float32 as in float64, and strictly inside (0, 1).
 */
export function philoxUniform(generator: PhiloxPosition, count: number): Float64Array {
  const out = new Float64Array(count);
  for (let i = 0; i < count; i += 4) {
    const words = philoxBlock(generator, i / 4);
    for (let lane = 0; lane < 4 && i + lane < count; lane++) out[i + lane] = uniform(words[lane] as number);
  }
  return out;
}

/**
 * Standard normal numbers by Box & Muller (1958), two from each pair of a block's uniform numbers:
 * z_0 = r cos t, z_1 = r sin t with r = sqrt(-2 log u_0), t = 2 pi u_1; z_2, z_3 likewise from u_2, u_3.
 */
export function philoxNormal(generator: PhiloxPosition, count: number): Float64Array {
  const out = new Float64Array(count);
  for (let i = 0; i < count; i += 4) {
    const words = philoxBlock(generator, i / 4);
    for (let lane = 0; lane < 4 && i + lane < count; lane++) {
      const pair = lane & 2;
      const radius = Math.sqrt(-2 * Math.log(uniform(words[pair] as number)));
      const angle = 2 * Math.PI * uniform(words[pair + 1] as number);
      out[i + lane] = radius * ((lane & 1) === 0 ? Math.cos(angle) : Math.sin(angle));
    }
  }
  return out;
}

/** The number in (0, 1) that a 32-bit word stands for. */
function uniform(word: number): number {
  return ((word >>> 9) + 0.5) / 8388608;
}

/** Upper 32 bits of a 32 by 32 bit product, from 16-bit halves: every step stays below 2^53. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  return aHigh * bHigh + Math.floor((middle + aLow * bHigh) / 65536);
}

/** `>>> 0` takes the lower 32 bits of any integer below 2^53; this takes the rest. */
function upperWord(value: number): number {
  return Math.floor(value / twoTo32) >>> 0;
}
