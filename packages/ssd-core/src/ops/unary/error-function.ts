/** The Gaussian error function in float64, by the expansions of Abramowitz & Stegun (1964), section 7.1. */

const twoOverSqrtPi = 1.1283791670955126;
const oneOverSqrtPi = 0.5641895835477563;

/** Beyond, 1 - erf loses digits; from here on the continued fraction has converged after `levels` levels. */
const crossover = 1.5;
const levels = 100;
/** exp(-x^2) is 0 in float64 beyond. */
const vanishing = 27.3;

/** erf(x) = 2/sqrt(pi) * integral of exp(-t^2) from 0 to x; absolute error below 1e-15. */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (size < crossover) return series(x);
  return Math.sign(x) * (1 - continuedFraction(size));
}

/** erfc(x) = 1 - erf(x), without the cancellation for large x; relative error below 1e-13. */
export function erfc(x: number): number {
  if (x < -crossover) return 2 - continuedFraction(-x);
  if (x < crossover) return 1 - series(x);
  return continuedFraction(x);
}

/** 7.1.6: erf(x) = 2/sqrt(pi) exp(-x^2) sum over n of 2^n x^(2n+1) / (2n+1)!!; all terms have one sign. */
function series(x: number): number {
  const square = x * x;
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-18; n++) {
    term *= (2 * square) / (2 * n + 1);
    sum += term;
  }
  return twoOverSqrtPi * Math.exp(-square) * sum;
}

/** 7.1.14: sqrt(pi) exp(x^2) erfc(x) = 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + ...)))), from its last level up. */
function continuedFraction(x: number): number {
  if (x > vanishing) return 0;
  let tail = x;
  for (let level = levels; level >= 1; level--) tail = x + level / 2 / tail;
  return (oneOverSqrtPi * Math.exp(-x * x)) / tail;
}
