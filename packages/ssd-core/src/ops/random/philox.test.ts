import { describe, expect, test } from 'vitest';
import {
  philox4x32,
  philoxBlock,
  philoxBlocks,
  philoxNormal,
  philoxUniform,
  type Words2,
  type Words4,
} from './philox.js';

const hex = (words: readonly number[]) => words.map((word) => word.toString(16).padStart(8, '0')).join(' ');

describe('philox4x32', () => {
  // Known-answer vectors of Random123 (Salmon et al. 2011), philox4x32 with 10 rounds.
  test.each<[Words4, Words2, string]>([
    [[0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      '408f276d 41c83b0e a20bc7c6 6d5451fd',
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      'd16cfe09 94fdcceb 5001e420 24126ea1',
    ],
  ])('known answer %#', (counter, key, wanted) => {
    expect(hex(philox4x32(counter, key))).toBe(wanted);
  });

  test('agrees with 128-bit integers on arbitrary counters', () => {
    const multiply = (a: bigint, b: bigint) => [(a * b) >> 32n, (a * b) & 0xffffffffn] as const;
    const exact = (counter: readonly number[], key: readonly number[]) => {
      let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
      let [k0, k1] = key.map(BigInt) as [bigint, bigint];
      for (let round = 0; round < 10; round++) {
        const [high0, low0] = multiply(0xd2511f53n, c0);
        const [high1, low1] = multiply(0xcd9e8d57n, c2);
        [c0, c1, c2, c3] = [high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0];
        k0 = (k0 + 0x9e3779b9n) & 0xffffffffn;
        k1 = (k1 + 0xbb67ae85n) & 0xffffffffn;
      }
      return [c0, c1, c2, c3].map(Number);
    };
    let words = philox4x32([1, 2, 3, 4], [5, 6]);
    for (let i = 0; i < 200; i++) {
      const key: Words2 = [words[1], words[2]];
      const next = philox4x32(words, key);
      expect(next).toEqual(exact(words, key));
      words = next;
    }
  });

  test('seed is the key, offset and stream the halves of the counter, least significant word first', () => {
    const seed = 2 ** 40 + 3;
    const position = { seed, stream: 2 ** 33 + 1, offset: 2 ** 32 - 1 };
    expect(philoxBlock(position, 0)).toEqual(philox4x32([0xffffffff, 0, 1, 2], [3, 256]));
    expect(philoxBlock(position, 1)).toEqual(philox4x32([0, 1, 1, 2], [3, 256]));
  });
});

describe('numbers from words', () => {
  const generator = { seed: 42, stream: 0, offset: 0 };

  test('uniforms are odd multiples of 2^-24 inside (0, 1), one per word', () => {
    const numbers = philoxUniform(generator, 10);
    for (let i = 0; i < 10; i++) {
      const word = philoxBlock(generator, Math.floor(i / 4))[i % 4] as number;
      expect(numbers[i]).toBe(((word >>> 9) + 0.5) / 2 ** 23);
      expect((numbers[i]! * 2 ** 24) % 2).toBe(1);
      expect(Math.fround(numbers[i]!)).toBe(numbers[i]);
    }
  });

  test('normals are the two pairs of a block by Box and Muller', () => {
    const [u0, u1, u2, u3] = philoxUniform(generator, 4) as unknown as [number, number, number, number];
    const pair = (a: number, b: number) => {
      const radius = Math.sqrt(-2 * Math.log(a));
      return [radius * Math.cos(2 * Math.PI * b), radius * Math.sin(2 * Math.PI * b)];
    };
    expect([...philoxNormal(generator, 4)]).toEqual([...pair(u0, u1), ...pair(u2, u3)]);
  });

  test('a draw does not depend on how it is cut', () => {
    for (const draw of [philoxUniform, philoxNormal]) {
      const whole = draw(generator, 23);
      const head = draw(generator, 8);
      const tail = draw({ ...generator, offset: philoxBlocks(8) }, 15);
      expect([...head, ...tail]).toEqual([...whole]);
      expect(draw(generator, 0).length).toBe(0);
    }
    expect(philoxBlocks(9)).toBe(3);
  });

  test('seeds and streams give different numbers', () => {
    const first = philoxUniform(generator, 8);
    expect(philoxUniform({ ...generator, seed: 43 }, 8)).not.toEqual(first);
    expect(philoxUniform({ ...generator, stream: 1 }, 8)).not.toEqual(first);
  });

  test('moments of 200,000 numbers lie within five standard errors', () => {
    const count = 200_000;
    const moment = (values: Float64Array, power: number) =>
      values.reduce((sum, value) => sum + value ** power, 0) / count;
    const uniform = philoxUniform({ seed: 1, stream: 2, offset: 3 }, count);
    expect(Math.abs(moment(uniform, 1) - 1 / 2)).toBeLessThan(5 * Math.sqrt(1 / 12 / count));
    expect(Math.abs(moment(uniform, 2) - 1 / 3)).toBeLessThan(5 * Math.sqrt(4 / 45 / count));
    const normal = philoxNormal({ seed: 1, stream: 2, offset: 3 }, count);
    expect(Math.abs(moment(normal, 1))).toBeLessThan(5 * Math.sqrt(1 / count));
    expect(Math.abs(moment(normal, 2) - 1)).toBeLessThan(5 * Math.sqrt(2 / count));
    expect(Math.abs(moment(normal, 3))).toBeLessThan(5 * Math.sqrt(15 / count));
    expect(Math.abs(moment(normal, 4) - 3)).toBeLessThan(5 * Math.sqrt(96 / count));
    const neighbours = normal.reduce((sum, value, i) => sum + value * (normal[i ^ 1] as number), 0) / count;
    expect(Math.abs(neighbours)).toBeLessThan(5 * Math.sqrt(2 / count));
  });
});
