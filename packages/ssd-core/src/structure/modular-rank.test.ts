import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../errors.js';
import { randomSource } from '../testing/index.js';
import { modularRank } from './index.js';
import { isPrime } from './prime.js';

const powersOfTwo = (i: number, j: number): bigint => 1n << BigInt(i * j);
/** Below and above the limit of float64 arithmetic. */
const primes = [67_108_859n, 1_000_000_007n, (1n << 61n) - 1n];

test('2^(ij), T = 64: full rank modulo 1000000007, 31 modulo 2^31 - 1, where 2 has order 31', () => {
  expect(modularRank(64, 64, powersOfTwo, 1_000_000_007n)).toBe(64);
  expect(modularRank(64, 64, powersOfTwo, 2_147_483_647n)).toBe(31);
});

describe.each(primes)('modulo %i', (prime) => {
  test('a product of thin integer factors has their rank', () => {
    const source = randomSource(4);
    const draw = (rows: number, cols: number) =>
      Array.from({ length: rows }, () =>
        Array.from({ length: cols }, () => BigInt(source.integer(2000) - 1000)),
      );
    const [left, right] = [draw(20, 5), draw(5, 13)];
    const entry = (i: number, j: number): bigint =>
      (left[i] as bigint[]).reduce((sum, value, k) => sum + value * (right[k] as bigint[])[j]!, 0n);
    expect(modularRank(20, 13, entry, prime)).toBe(5);
  });

  test('powers of 3: a Vandermonde matrix of different nodes', () => {
    expect(modularRank(40, 40, (i, j) => 3n ** BigInt(i * j), prime)).toBe(40);
    expect(modularRank(6, 40, (i, j) => 3n ** BigInt(i * j), prime)).toBe(6);
    expect(modularRank(40, 6, (i, j) => 3n ** BigInt(i * j), prime)).toBe(6);
  });

  test('residues, not values: multiples of the prime are 0, negative entries count', () => {
    expect(modularRank(2, 2, (i, j) => (i === j ? prime : 0n), prime)).toBe(0);
    expect(
      modularRank(
        2,
        2,
        (i, j) =>
          [
            [-1n, 1n],
            [1n, -1n],
          ][i]![j]!,
        prime,
      ),
    ).toBe(1);
    expect(
      modularRank(
        2,
        2,
        (i, j) =>
          [
            [-1n, 1n],
            [prime - 1n, 2n],
          ][i]![j]!,
        prime,
      ),
    ).toBe(2);
  });

  test('rows are exchanged where a pivot is 0, and columns of zeros are passed over', () => {
    const rows = [
      [0n, 0n, 0n, 2n],
      [0n, 0n, 3n, 1n],
      [0n, 5n, 1n, 1n],
    ];
    expect(modularRank(3, 4, (i, j) => rows[i]![j]!, prime)).toBe(3);
  });

  test('nothing has rank 0', () => {
    expect(modularRank(0, 5, powersOfTwo, prime)).toBe(0);
    expect(modularRank(5, 0, powersOfTwo, prime)).toBe(0);
  });
});

test('largest residues below 2^26 do not round', () => {
  // Rows (p-1, p-2) and (p-2, p-4 + x): the determinant is x - ... exactly (p-1)(p-4+x) - (p-2)^2 = -x mod p.
  const prime = 67_108_859n;
  const determinantMinus = (x: bigint) => (i: number, j: number) =>
    [
      [prime - 1n, prime - 2n],
      [prime - 2n, prime - 4n + x],
    ][i]![j]!;
  expect(modularRank(2, 2, determinantMinus(0n), prime)).toBe(1);
  expect(modularRank(2, 2, determinantMinus(1n), prime)).toBe(2);
});

describe('isPrime', () => {
  test('agrees with the sieve to 2,000', () => {
    const composite = new Set<number>();
    for (let i = 2; i < 2000; i++) {
      for (let multiple = 2 * i; multiple < 2000; multiple += i) composite.add(multiple);
      expect(isPrime(BigInt(i))).toBe(!composite.has(i));
    }
  });

  test('large primes, Carmichael numbers, strong pseudoprimes and squares', () => {
    for (const prime of [...primes, 2_147_483_647n]) expect(isPrime(prime)).toBe(true);
    // 3215031751 deceives the bases 2, 3, 5 and 7; 3825123056546413051 the first nine primes.
    for (const value of [
      561n,
      3_215_031_751n,
      3_825_123_056_546_413_051n,
      1_000_000_007n ** 2n,
      1n,
      0n,
      -7n,
    ]) {
      expect(isPrime(value)).toBe(false);
    }
  });
});

test('refuses a modulus that is no prime, and sizes that are none', () => {
  expect(() => modularRank(2, 2, powersOfTwo, 15n)).toThrow(ArgumentError);
  expect(() => modularRank(2, 2, powersOfTwo, 15n)).toThrow('modularRank: prime: expected a prime, got 15');
  expect(() => modularRank(-1, 2, powersOfTwo, 7n)).toThrow('modularRank: rows');
});
