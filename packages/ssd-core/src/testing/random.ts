/** Seeded numbers for tests; one small generator, the same on every machine. */
import { elementCount } from '../tensor-like.js';
import type { HostTensor } from './arrays.js';

/** A deterministic source of random tensors. */
export interface RandomSource {
  /** One number in [0, 1). */
  next(): number;
  /** An integer in [0, bound). */
  integer(bound: number): number;
  /** Numbers in [low, high), multiples of 2^-12 and so exact in float32. */
  uniform(shape: readonly number[], low?: number, high?: number): HostTensor;
  /** Standard normal numbers times `scale`, rounded to multiples of 2^-12. */
  normal(shape: readonly number[], scale?: number): HostTensor;
}

/** Every drawn number is a multiple of this, so that float32 and float64 kernels see the same input. */
const grid = 4096;

/** A source for `seed`: a Weyl sequence through a 32-bit finaliser (two multiply-xorshift rounds). */
export function randomSource(seed: number): RandomSource {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 4294967296;
  };
  const normal = (): number => {
    // 1 - next() lies in (0, 1], where the logarithm is finite.
    const radius = Math.sqrt(-2 * Math.log(1 - next()));
    return radius * Math.cos(2 * Math.PI * next());
  };
  const draw = (shape: readonly number[], value: () => number): HostTensor => {
    const data = new Float64Array(elementCount(shape));
    for (let i = 0; i < data.length; i++) data[i] = Math.round(value() * grid) / grid;
    return { data, shape };
  };
  return {
    next,
    integer: (bound) => Math.floor(next() * bound),
    uniform: (shape, low = -1, high = 1) => draw(shape, () => low + (high - low) * next()),
    normal: (shape, scale = 1) => draw(shape, () => scale * normal()),
  };
}
