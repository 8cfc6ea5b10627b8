/**
 * Student's t with a whole number of degrees of freedom, by its finite series (Abramowitz & Stegun 26.7.3, 26.7.4):
 * every term is positive, so that nothing cancels.
 */
import { ArgumentError } from '@statespace/ssd-core';

/**
 * P(|t| < sqrt(freedom) tan(theta)), theta in [0, pi/2]:
 *   freedom odd:   2/pi (theta + sin (cos + 2/3 cos^3 + (2*4)/(3*5) cos^5 + ...)), up to cos^(freedom - 2);
 *   freedom even:  sin (1 + 1/2 cos^2 + (1*3)/(2*4) cos^4 + ...), up to cos^(freedom - 2).
 */
function centralProbability(theta: number, freedom: number): number {
  const sine = Math.sin(theta);
  const cosine = Math.cos(theta);
  const odd = freedom % 2 === 1;
  let term = odd ? cosine : 1;
  let sum = 0;
  for (let power = odd ? 1 : 0; power <= freedom - 2; power += 2) {
    sum += term;
    const next = term * ((power + 1) / (power + 2)) * cosine * cosine;
    // Past this point the rest, a geometric series at most, is below the last bit.
    if (next < 1e-18 * sum * sine * sine) break;
    term = next;
  }
  return odd ? (2 / Math.PI) * (theta + sine * sum) : sine * sum;
}

/** P(T <= t). */
export function studentCdf(t: number, freedom: number): number {
  checkFreedom('studentCdf', freedom);
  const central = centralProbability(Math.atan(Math.abs(t) / Math.sqrt(freedom)), freedom);
  return t < 0 ? (1 - central) / 2 : (1 + central) / 2;
}

/**
 * The t below which Student's distribution has `probability`; 0.975 gives the half width of a 95% interval.
 * @throws {ArgumentError} for a probability outside (0, 1), or degrees that are no whole number from 1 on.
 */
export function studentQuantile(probability: number, freedom: number): number {
  checkFreedom('studentQuantile', freedom);
  if (!(probability > 0 && probability < 1)) {
    throw new ArgumentError({
      op: 'studentQuantile',
      argument: 'probability',
      wanted: 'a number in (0, 1)',
      got: String(probability),
    });
  }
  const central = Math.abs(2 * probability - 1);
  let low = 0;
  let high = Math.PI / 2;
  // Halves the angle's interval until no float64 lies between its ends.
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    if (centralProbability(middle, freedom) < central) low = middle;
    else high = middle;
  }
  return Math.sign(probability - 0.5) * Math.sqrt(freedom) * Math.tan(low);
}

function checkFreedom(op: string, freedom: number): void {
  if (Number.isInteger(freedom) && freedom >= 1) return;
  throw new ArgumentError({
    op,
    argument: 'freedom',
    wanted: 'a whole number of degrees from 1 on',
    got: String(freedom),
  });
}
