/** Names the culprit when a loss is not finite. */
import { toHost } from '../host.js';
import type { Tensor } from '../tensor.js';
import type { NamedParameters } from './optimizer.js';

export interface NonFinite {
  readonly name: string;
  readonly what: 'value' | 'gradient';
}

/** The first parameter whose value, or else whose gradient, holds NaN or Infinity. Reads everything: for errors. */
export function findNonFinite(parameters: NamedParameters): NonFinite | undefined {
  for (const [name, parameter] of parameters) {
    if (!allFinite(parameter)) return { name, what: 'value' };
    if (parameter.grad !== undefined && !allFinite(parameter.grad)) return { name, what: 'gradient' };
  }
  return undefined;
}

function allFinite(x: Tensor): boolean {
  for (const value of toHost(x)) if (!Number.isFinite(value)) return false;
  return true;
}
