/** Lists of seeds as they are written: `3`, `0..9`, `1,4,7..9`. */
import { ConfigError } from '@statespace/ssd-core';

const maxSeeds = 10_000;

/**
 * The seeds that `text` names, in order, each once.
 * @throws {ConfigError} when it is not a list of integers and ranges `from..to` (both ends included).
 */
export function parseSeeds(text: string): number[] {
  const seeds = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^\s*(\d+)(?:\.\.(\d+))?\s*$/.exec(part);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    const wrong = match === null || !Number.isSafeInteger(last) || last < first;
    if (wrong || last - first >= maxSeeds) {
      throw new ConfigError({
        op: 'parseSeeds',
        argument: 'seed',
        wanted: 'an integer, a range such as 0..9 or a list such as 0,3,5..7',
        got: `'${text}'`,
      });
    }
    for (let seed = first; seed <= last; seed++) seeds.add(seed);
  }
  return [...seeds];
}
