/** Lists of seeds, one run each. */
import { parseIntegers } from './integer-list.js';

/**
 * The seeds that `text` names, in order, each once: `3`, `0..9`, `1,4,7..9`.
 * @throws {ConfigError} when it is not a list of integers and ranges `from..to` (both ends included).
 */
export function parseSeeds(text: string): number[] {
  return [...new Set(parseIntegers(text, 'seed'))];
}
