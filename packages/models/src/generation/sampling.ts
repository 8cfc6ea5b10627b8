/** Choosing the next token from logits. */
import { ArgumentError } from '@statespace/ssd-core';

export interface SamplingOptions {
  /** Divides the logits; 0 takes the largest. Default 1. */
  readonly temperature?: number;
  /** Keeps the so many most probable tokens. Default: all. */
  readonly topK?: number;
  /** Keeps the fewest most probable tokens that together have at least this probability, after topK. Default 1. */
  readonly topP?: number;
}

/** @throws {ArgumentError} for an option out of range. */
export function checkSampling({ temperature = 1, topK, topP = 1 }: SamplingOptions): void {
  const fail = (argument: string, wanted: string, got: unknown) => {
    throw new ArgumentError({ op: 'generate', argument, wanted, got: String(got) });
  };
  if (!(temperature >= 0 && temperature < Number.POSITIVE_INFINITY)) {
    fail('temperature', 'a number from 0 on', temperature);
  }
  if (topK !== undefined && (!Number.isInteger(topK) || topK < 1)) fail('topK', 'a positive integer', topK);
  if (!(topP > 0 && topP <= 1)) fail('topP', 'a number above 0, at most 1', topP);
}

/**
 * The token that `uniform`, a number in (0, 1), picks from softmax(logits / temperature) after top-k and top-p. Float64
 * throughout; equal logits go by their index, so a seed gives one text.
 * @throws {ArgumentError} when a logit is NaN.
 */
export function sampleToken(
  logits: ArrayLike<number>,
  uniform: number,
  options: SamplingOptions = {},
): number {
  const { temperature = 1, topK, topP = 1 } = options;
  const best = largest(logits);
  if (temperature === 0 || topK === 1) return best;
  const top = logits[best] as number;
  const weights = Float64Array.from(logits, (logit) => Math.exp((logit - top) / temperature));
  if (topK === undefined && topP === 1) return pick(weights, undefined, uniform);
  const order = Array.from(weights.keys()).sort(
    (a, b) => (logits[b] as number) - (logits[a] as number) || a - b,
  );
  const kept = nucleus(weights, topK === undefined ? order : order.slice(0, topK), topP);
  return pick(weights, kept, uniform);
}

/** The shortest head of `order` whose share of the weight is at least topP; never empty. */
function nucleus(weights: Float64Array, order: readonly number[], topP: number): readonly number[] {
  if (topP === 1) return order;
  let total = 0;
  for (const token of order) total += weights[token] as number;
  let sum = 0;
  for (const [rank, token] of order.entries()) {
    sum += weights[token] as number;
    if (sum >= topP * total) return order.slice(0, rank + 1);
  }
  return order;
}

/** Inverse of the cumulative distribution over `tokens` (default: all). */
function pick(weights: Float64Array, tokens: readonly number[] | undefined, uniform: number): number {
  const count = tokens?.length ?? weights.length;
  let total = 0;
  for (let i = 0; i < count; i++) total += weights[tokens?.[i] ?? i] as number;
  const goal = uniform * total;
  let sum = 0;
  let last = 0;
  for (let i = 0; i < count; i++) {
    const token = tokens?.[i] ?? i;
    const weight = weights[token] as number;
    if (weight === 0) continue;
    sum += weight;
    last = token;
    if (sum > goal) return token;
  }
  return last; // rounding left the sum just below the goal
}

function largest(logits: ArrayLike<number>): number {
  let best = 0;
  for (let i = 0; i < logits.length; i++) {
    const logit = logits[i] as number;
    if (Number.isNaN(logit)) {
      throw new ArgumentError({
        op: 'generate',
        argument: 'logits',
        wanted: 'numbers',
        got: `NaN at token ${i}`,
      });
    }
    if (logit > (logits[best] as number)) best = i;
  }
  return best;
}
