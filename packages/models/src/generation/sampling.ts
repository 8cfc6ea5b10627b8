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
  const { temperature = 1, topK = logits.length, topP = 1 } = options;
  const best = largest(logits);
  if (temperature === 0 || topK === 1) return best;
  const top = logits[best] as number;
  const weightOf = (logit: number) => Math.exp((logit - top) / temperature);
  const weights = new Float64Array(logits.length);
  for (let token = 0; token < weights.length; token++) weights[token] = weightOf(logits[token] as number);
  if (topK < logits.length || topP < 1) dropImprobable(logits, weights, weightOf, topK, topP);
  return pick(weights, uniform);
}

/**
 * Sets to zero the weight of every token outside the topK largest, and of those outside the shortest head of them whose
 * share is at least topP; the most probable token always stays.
 */
function dropImprobable(
  logits: ArrayLike<number>,
  weights: Float64Array,
  weightOf: (logit: number) => number,
  topK: number,
  topP: number,
): void {
  // Sorting numbers alone, without their indices, is many times faster.
  const falling = new Float64Array(logits).sort().reverse().subarray(0, topK);
  const kept = falling.subarray(0, topP < 1 ? nucleusSize(falling.map(weightOf), topP) : falling.length);
  const cut = kept.at(-1) as number;
  let ties = kept.length - kept.indexOf(cut);
  for (let token = 0; token < weights.length; token++) {
    const logit = logits[token] as number;
    if (logit > cut || (logit === cut && ties-- > 0)) continue;
    weights[token] = 0;
  }
}

/** How many of the falling `weights` it takes to reach the share topP. */
function nucleusSize(weights: Float64Array, topP: number): number {
  const goal = topP * total(weights);
  let sum = 0;
  for (let rank = 0; rank < weights.length; rank++) {
    sum += weights[rank] as number;
    if (sum >= goal) return rank + 1;
  }
  return weights.length;
}

/** Inverse of the cumulative distribution that `weights` are proportional to. */
function pick(weights: Float64Array, uniform: number): number {
  const goal = uniform * total(weights);
  let sum = 0;
  let last = 0;
  for (let token = 0; token < weights.length; token++) {
    const weight = weights[token] as number;
    if (weight === 0) continue;
    sum += weight;
    last = token;
    if (sum > goal) return token;
  }
  return last; // rounding left the sum just below the goal
}

function total(weights: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += weights[i] as number;
  return sum;
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
