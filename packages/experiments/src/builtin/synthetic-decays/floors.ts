/**
 * The least mean squared errors that linear models with N decays can reach on the data: what the measured ones are
 * compared with.
 */
import type { DecayParams } from './params.js';

type DataParams = Pick<DecayParams, 'lambdas' | 'coeffs' | 'seqLen' | 'noiseStd'>;

/** A decay, its gain and what they leave. */
export interface SingleDecay {
  readonly decay: number;
  readonly gain: number;
  /** Mean over steps of E (y - gain x)^2, noise included. */
  readonly error: number;
}

/**
 * <p, q> = sum_k p^k q^k (T - k) / T: the inner product of two impulse responses over a window of T steps that starts at
 * rest, in which lag k is seen T - k times.
 */
function product(p: number, q: number, seqLen: number): number {
  let sum = 0;
  let power = 1;
  for (let k = 0; k < seqLen; k++) {
    sum += (power * (seqLen - k)) / seqLen;
    power *= p * q;
  }
  return sum;
}

/** Mean over steps of E y^2 without the noise. */
export function signalVariance({ lambdas, coeffs, seqLen }: DataParams): number {
  return lambdas.reduce(
    (sum, p, i) =>
      sum +
      lambdas.reduce(
        (inner, q, j) => inner + (coeffs[i] as number) * (coeffs[j] as number) * product(p, q, seqLen),
        0,
      ),
    0,
  );
}

/** The best model with one decay: for a given one the gain is a projection, and the decay is searched for. */
export function bestSingleDecay(data: DataParams): SingleDecay {
  const { lambdas, coeffs, seqLen, noiseStd } = data;
  const variance = signalVariance(data);
  const fit = (decay: number): SingleDecay => {
    const overlap = lambdas.reduce((sum, p, j) => sum + (coeffs[j] as number) * product(decay, p, seqLen), 0);
    const own = product(decay, decay, seqLen);
    return { decay, gain: overlap / own, error: variance - (overlap * overlap) / own + noiseStd * noiseStd };
  };
  // The error need not have one valley: a grid first, then ever finer around its best point.
  let [low, high] = [0, 1];
  let best = fit(0);
  while (high - low > 1e-9) {
    const width = (high - low) / 64;
    for (let i = 0; i <= 64; i++) {
      const candidate = fit(low + i * width);
      if (candidate.error < best.error) best = candidate;
    }
    [low, high] = [Math.max(0, best.decay - width), Math.min(1, best.decay + width)];
  }
  return best;
}

/** The floor for N states where it is known: one decay, or as many as the data have. */
export function floorFor(states: number, data: DataParams): number | undefined {
  if (states >= data.lambdas.length) return data.noiseStd * data.noiseStd;
  return states === 1 ? bestSingleDecay(data).error : undefined;
}
