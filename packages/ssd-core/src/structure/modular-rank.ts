/**
 * Exact rank of an integer matrix modulo a prime, by Gaussian elimination over GF(p). It is at most the rank over the
 * rationals, so full rank modulo one prime proves full rank; a deficit proves nothing: modulo 2^31 - 1, where 2 has
 * order 31, the matrix 2^(ij) of size 64 shows rank 31.
 */
import { ArgumentError } from '../errors.js';
import { checkCount } from './matrix.js';
import { isPrime } from './prime.js';

/** Products of residues of smaller primes are below 2^53: exact in float64. */
const exactProducts = 2n ** 26n;

/**
 * Rank over GF(prime) of the (rows, cols) matrix of `entry(i, j)`, negative entries included.
 * Primes below 2^26 are computed with in float64, without rounding; larger ones in bigint, some ten times slower.
 * @throws {ArgumentError} unless `prime` is one, and the sizes are counts.
 */
export function modularRank(
  rows: number,
  cols: number,
  entry: (i: number, j: number) => bigint,
  prime: bigint,
): number {
  checkCount('modularRank', 'rows', rows, 0);
  checkCount('modularRank', 'cols', cols, 0);
  if (!isPrime(prime)) {
    throw new ArgumentError({ op: 'modularRank', argument: 'prime', wanted: 'a prime', got: String(prime) });
  }
  const residues = Array.from({ length: rows }, (_, i) =>
    Array.from({ length: cols }, (_unused, j) => {
      const residue = entry(i, j) % prime;
      return residue < 0n ? residue + prime : residue;
    }),
  );
  if (prime >= exactProducts) return rankInBigint(residues, prime);
  return rankInFloat64(
    residues.map((row) => Float64Array.from(row, Number)),
    Number(prime),
  );
}

function rankInFloat64(rows: Float64Array[], prime: number): number {
  const cols = rows[0]?.length ?? 0;
  let rank = 0;
  for (let j = 0; j < cols && rank < rows.length; j++) {
    const pivot = takePivot(rows, rank, j);
    if (pivot === undefined) continue;
    const inverse = Number(inverseModulo(BigInt(pivot[j] as number), BigInt(prime)));
    for (let i = rank + 1; i < rows.length; i++) {
      const row = rows[i] as Float64Array;
      const factor = ((row[j] as number) * inverse) % prime;
      if (factor === 0) continue;
      // prime - factor, added, instead of factor, subtracted: residues stay positive, sums below 2^53.
      const opposite = prime - factor;
      for (let l = j; l < cols; l++) {
        row[l] = ((row[l] as number) + opposite * (pivot[l] as number)) % prime;
      }
    }
    rank += 1;
  }
  return rank;
}

function rankInBigint(rows: bigint[][], prime: bigint): number {
  const cols = rows[0]?.length ?? 0;
  let rank = 0;
  for (let j = 0; j < cols && rank < rows.length; j++) {
    const pivot = takePivot(rows, rank, j);
    if (pivot === undefined) continue;
    const inverse = inverseModulo(pivot[j] as bigint, prime);
    for (let i = rank + 1; i < rows.length; i++) {
      const row = rows[i] as bigint[];
      const opposite = prime - (((row[j] as bigint) * inverse) % prime);
      if (opposite === prime) continue;
      for (let l = j; l < cols; l++) {
        row[l] = ((row[l] as bigint) + opposite * (pivot[l] as bigint)) % prime;
      }
    }
    rank += 1;
  }
  return rank;
}

/** Exchanges a row at or after `from` with a nonzero in column j into place `from`; undefined when there is none. */
function takePivot<Row extends ArrayLike<number | bigint>>(
  rows: Row[],
  from: number,
  j: number,
): Row | undefined {
  const at = rows.findIndex((row, i) => i >= from && Number(row[j]) !== 0);
  if (at < 0) return undefined;
  const pivot = rows[at] as Row;
  rows[at] = rows[from] as Row;
  rows[from] = pivot;
  return pivot;
}

/** value^-1 modulo a prime, by Euclid's algorithm. */
function inverseModulo(value: bigint, prime: bigint): bigint {
  let [remainder, next] = [prime, value];
  let [factor, nextFactor] = [0n, 1n];
  while (next !== 0n) {
    const quotient = remainder / next;
    [remainder, next] = [next, remainder - quotient * next];
    [factor, nextFactor] = [nextFactor, factor - quotient * nextFactor];
  }
  return factor < 0n ? factor + prime : factor;
}
