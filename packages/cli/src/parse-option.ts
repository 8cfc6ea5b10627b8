/** Numbers among the options. */
import { InvalidArgumentError } from 'commander';

/** A commander parser for integers from `least` on. */
export function parseInteger(name: string, least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`${name} takes an integer from ${least} on.`);
    }
    return value;
  };
}

/** A commander parser for numbers from `least` to `most`. */
export function parseNumber(
  name: string,
  least: number,
  most = Number.POSITIVE_INFINITY,
): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value < least || value > most) {
      const upper = Number.isFinite(most) ? ` to ${most}` : ' on';
      throw new InvalidArgumentError(`${name} takes a number from ${least}${upper}.`);
    }
    return value;
  };
}
