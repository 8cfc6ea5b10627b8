/** Miller-Rabin test (Rabin 1980); with these bases it is exact below 3.3e24 (Sorenson & Webster 2015). */
const bases = [2n, 3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n, 41n];

/** Whether `value` is a prime; above 3.3e24 a composite number passes with a probability of at most 4^-13. */
export function isPrime(value: bigint): boolean {
  if (value < 2n) return false;
  for (const base of bases) {
    if (value % base === 0n) return value === base;
  }
  let odd = value - 1n;
  let halvings = 0;
  while (odd % 2n === 0n) {
    odd /= 2n;
    halvings += 1;
  }
  return bases.every((base) => passes(base, odd, halvings, value));
}

/** base^odd is 1, or some base^(2^i odd), i < halvings, is -1. */
function passes(base: bigint, odd: bigint, halvings: number, value: bigint): boolean {
  let power = powerModulo(base, odd, value);
  if (power === 1n || power === value - 1n) return true;
  for (let i = 1; i < halvings; i++) {
    power = (power * power) % value;
    if (power === value - 1n) return true;
  }
  return false;
}

function powerModulo(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let power = 1n;
  let square = base % modulus;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) power = (power * square) % modulus;
    square = (square * square) % modulus;
  }
  return power;
}
