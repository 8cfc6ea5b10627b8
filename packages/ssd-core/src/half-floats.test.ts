import { describe, expect, test } from 'vitest';
import { decodeBfloat16, decodeFloat16, encodeBfloat16, encodeFloat16 } from './half-floats.js';
import { randomSource } from './testing/index.js';

const formats = [
  {
    name: 'f16',
    encode: encodeFloat16,
    decode: decodeFloat16,
    infinity: 0x7c00,
    // Midway between the largest finite number and the power of two above it.
    overflow: 65520,
    samples: [
      [0x3c00, 1],
      [0xc000, -2],
      [0x0001, 2 ** -24],
      [0x03ff, 1023 * 2 ** -24],
      [0x0400, 2 ** -14],
      [0x7bff, 65504],
      [0x3555, 0.333251953125],
    ],
  },
  {
    name: 'bf16',
    encode: encodeBfloat16,
    decode: decodeBfloat16,
    infinity: 0x7f80,
    overflow: 2 ** 127 * (2 - 2 ** -8),
    samples: [
      [0x3f80, 1],
      [0xc000, -2],
      [0x0001, 2 ** -133],
      [0x0080, 2 ** -126],
      [0x7f7f, 2 ** 127 * (2 - 2 ** -7)],
      [0x3eab, 0.333984375],
    ],
  },
];

describe.each(formats)('$name', ({ encode, decode, infinity, overflow, samples }) => {
  /** Finite non-negative numbers in rising order: bit patterns count upwards. */
  const finite = Float64Array.from({ length: infinity }, (_, bits) => decode(bits));

  /** The pattern nearest to `value` by search among all of them; the even one of two equally near. */
  function nearest(value: number): number {
    const size = Math.abs(value);
    const sign = Object.is(value, -0) || value < 0 ? 0x8000 : 0;
    if (size >= overflow) return sign | infinity;
    let low = 0;
    let high = infinity - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((finite[middle] as number) <= size) low = middle;
      else high = middle;
    }
    const below = size - (finite[low] as number);
    const above = (finite[high] as number) - size;
    const up = above < below || (above === below && high % 2 === 0);
    return sign | (up ? high : low);
  }

  test('known patterns', () => {
    for (const [bits, value] of samples as [number, number][]) {
      expect(decode(bits)).toBe(value);
      expect(encode(value)).toBe(bits);
    }
  });

  test('all 65,536 patterns survive decoding and encoding', () => {
    const wrong: number[] = [];
    for (let bits = 0; bits < 65536; bits++) {
      const isNaNPattern = (bits & 0x7fff) > infinity;
      const value = decode(bits);
      if (isNaNPattern !== Number.isNaN(value)) wrong.push(bits);
      else if (!isNaNPattern && encode(value) !== bits) wrong.push(bits);
    }
    expect(wrong).toEqual([]);
    expect(decode(encode(Number.NaN))).toBeNaN();
  });

  test('every midpoint goes to the even neighbour, its float64 neighbours to theirs', () => {
    const wrong: number[] = [];
    for (let bits = 0; bits + 1 < infinity; bits++) {
      const middle = ((finite[bits] as number) + (finite[bits + 1] as number)) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      const justAbove = middle * (1 + 2 ** -52);
      const justBelow = middle * (1 - 2 ** -52);
      if (encode(middle) !== even || encode(-middle) !== (even | 0x8000)) wrong.push(bits);
      else if (encode(justAbove) !== bits + 1 || encode(justBelow) !== bits) wrong.push(bits);
    }
    expect(wrong).toEqual([]);
  });

  test('random float64 numbers of all magnitudes round as the search says', () => {
    const random = randomSource(17);
    for (let i = 0; i < 20_000; i++) {
      const value = (2 * random.next() - 1) * 2 ** (300 * random.next() - 160);
      expect(encode(value)).toBe(nearest(value));
    }
  });

  test('limits and signs', () => {
    expect(encode(overflow)).toBe(infinity);
    expect(encode(overflow * (1 - 2 ** -52))).toBe(infinity - 1);
    expect(encode(Number.POSITIVE_INFINITY)).toBe(infinity);
    expect(encode(Number.NEGATIVE_INFINITY)).toBe(infinity | 0x8000);
    expect(encode(1e300)).toBe(infinity);
    expect(encode(0)).toBe(0);
    expect(encode(-0)).toBe(0x8000);
    expect(encode(Number.MIN_VALUE)).toBe(0);
    expect(Object.is(decode(0x8000), -0)).toBe(true);
  });
});

test('bf16 is the upper half of float32', () => {
  const float = new Float32Array(1);
  const bits = new Uint32Array(float.buffer);
  const random = randomSource(18);
  for (let i = 0; i < 1000; i++) {
    bits[0] = Math.floor(random.next() * 2 ** 16) << 16;
    const half = (bits[0] as number) >>> 16;
    if (!Number.isNaN(float[0])) expect(decodeBfloat16(half)).toBe(float[0]);
  }
});
