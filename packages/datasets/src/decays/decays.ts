/**
 * Noise filtered by a few exponential decays: what a diagonal linear model with enough states represents exactly, and one
 * with fewer does not (the synthetic time series of Hu et al. 2025, arXiv:2510.04944, C.7).
 */
import { ArgumentError } from '@statespace/ssd-core';
import { Generator } from '@statespace/tensor';

export interface DecayOptions {
  /** Number of sequences. */
  readonly count: number;
  /** Steps of a sequence, T. */
  readonly seqLen: number;
  /** Decays lambda_j, each in (-1, 1). */
  readonly lambdas: readonly number[];
  /** Weight c_j of each decay. */
  readonly coeffs: readonly number[];
  /** Standard deviation of the noise that is added to the targets. */
  readonly noiseStd: number;
  /** An integer from 0 to 2^53 - 1. */
  readonly seed: number;
  /** Separates independent sets of one seed, such as training and test. Default 0. */
  readonly stream?: number;
}

/** Inputs and targets, row-major. */
export interface DecaySequences {
  readonly count: number;
  readonly seqLen: number;
  /** Standard normal numbers u, (count, seqLen). */
  readonly inputs: Float64Array;
  /** y, (count, seqLen). */
  readonly targets: Float64Array;
}

/** Streams from here on: apart from those that draw weights or the order of samples of the same seed. */
const firstStream = 2 ** 43;

/**
 * Seeded sequences u ~ N(0, 1) with
 *   y[t] = sum_j c_j sum_{s<=t} lambda_j^(t-s) u[s] + noiseStd e[t],  e ~ N(0, 1),
 * made by the recurrence x_j[t] = lambda_j x_j[t-1] + u[t] from x_j = 0.
 * @throws {ArgumentError} when a size is not a positive integer, the lists differ in length, or a number is out of range.
 */
export function decaySequences(options: DecayOptions): DecaySequences {
  const { count, seqLen, lambdas, coeffs, noiseStd, seed, stream = 0 } = options;
  check(options);
  const generator = new Generator(seed, firstStream + stream);
  const inputs = generator.normal(count * seqLen);
  const targets = generator.normal(count * seqLen);
  const states = new Float64Array(lambdas.length);
  for (let at = 0; at < inputs.length; at++) {
    if (at % seqLen === 0) states.fill(0);
    let y = noiseStd * (targets[at] as number);
    for (const [j, lambda] of lambdas.entries()) {
      const state = lambda * (states[j] as number) + (inputs[at] as number);
      states[j] = state;
      y += (coeffs[j] as number) * state;
    }
    targets[at] = y;
  }
  return { count, seqLen, inputs, targets };
}

function check({ count, seqLen, lambdas, coeffs, noiseStd, seed }: DecayOptions): void {
  for (const [argument, value] of Object.entries({ count, seqLen })) {
    if (!Number.isInteger(value) || value < 1) fail(argument, 'a positive integer', value);
  }
  if (lambdas.length === 0) fail('lambdas', 'at least one decay', 'none');
  if (coeffs.length !== lambdas.length)
    fail('coeffs', `one for each of ${lambdas.length} decays`, coeffs.length);
  const wild = lambdas.find((lambda) => !(Math.abs(lambda) < 1));
  if (wild !== undefined) fail('lambdas', 'numbers in (-1, 1)', wild);
  const unknown = coeffs.find((coefficient) => !Number.isFinite(coefficient));
  if (unknown !== undefined) fail('coeffs', 'finite numbers', unknown);
  if (!(noiseStd >= 0 && noiseStd < Number.POSITIVE_INFINITY))
    fail('noiseStd', 'a number from 0 on', noiseStd);
  if (!Number.isSafeInteger(seed) || seed < 0) fail('seed', 'an integer from 0 to 2^53 - 1', seed);
}

function fail(argument: string, wanted: string, got: number | string): never {
  throw new ArgumentError({ op: 'decaySequences', argument, wanted, got: String(got) });
}
