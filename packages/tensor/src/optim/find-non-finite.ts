/** Names the culprit when a loss is not finite. */
import { toHost } from '../host.js';
import type { Tensor } from '../tensor.js';
import type { NamedParameters } from './optimizer.js';

export interface NonFinite {
  readonly name: string;
  readonly what: 'value' | 'gradient';
}

/**
 * The first parameter whose value holds NaN or Infinity; when all values are finite, the first whose gradient does:
 * one bad value spoils the gradients of all others. Reads everything: for errors.
 */
export function findNonFinite(parameters: NamedParameters): NonFinite | undefined {
  const all = [...parameters];
  for (const [name, parameter] of all) if (!allFinite(parameter)) return { name, what: 'value' };
  for (const [name, { grad }] of all) {
    if (grad !== undefined && !allFinite(grad)) return { name, what: 'gradient' };
  }
  return undefined;
}

function allFinite(x: Tensor): boolean {
  for (const value of toHost(x)) if (!Number.isFinite(value)) return false;
  return true;
}
