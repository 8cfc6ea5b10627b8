/** Decays of diagonal recurrences, kept as the logarithms of their rates so that they stay in (0, 1). */
import type { Tensor } from '@statespace/tensor';

/**
 * A = -exp(logRates), (E, N); one step multiplies a state by exp(delta A).
 * @param logRates (E, N), or (E, 1) where the N states of a channel decay alike
 */
export function decayRates(logRates: Tensor, dState: number): Tensor {
  const rates = logRates.exp().neg();
  const [channels, own] = rates.shape as readonly [number, number];
  return own === dState ? rates : rates.expand([channels, dState]).contiguous();
}
