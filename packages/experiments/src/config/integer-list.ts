/** Lists of whole numbers as they are written: `3`, `0..9`, `1,4,7..9`. */
import { ConfigError } from '@statespace/ssd-core';

const longest = 10_000;

/** Whether `text` is a range, both ends included: `0..9`. */
export function isIntegerRange(text: string): boolean {
  return text.includes('..');
}

/**
 * The numbers that `text` names, in order.
 * @param argument what they are for, in the message
 * @throws {ConfigError} when it is not a list of integers from 0 on and ranges `from..to`.
 */
export function parseIntegers(text: string, argument: string): number[] {
  return text.split(',').flatMap((part) => {
    const match = /^\s*(\d+)(?:\.\.(\d+))?\s*$/.exec(part);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    const wrong = match === null || !Number.isSafeInteger(last) || last < first;
    if (wrong || last - first >= longest) {
      throw new ConfigError({
        op: 'parseIntegers',
        argument,
        wanted: 'an integer, a range such as 0..9 or a list such as 0,3,5..7',
        got: `'${text}'`,
      });
    }
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}
