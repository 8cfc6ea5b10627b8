/** Initial values of the state-space parameters, as in mamba_ssm. */
import type { SharedConfig } from '../config/model-config.js';
import type { InitialValues } from './parameter-source.js';

/**
 * Bias b with softplus(b) = dt, dt log-uniform in [timeStepMin, timeStepMax] and at least timeStepFloor:
 *   b = dt + ln(-expm1(-dt)),   the inverse of softplus.
 */
export function stepBias(
  config: Pick<SharedConfig, 'timeStepMin' | 'timeStepMax' | 'timeStepFloor'>,
): InitialValues {
  const low = Math.log(config.timeStepMin);
  const high = Math.log(config.timeStepMax);
  return (count, draws) =>
    draws.uniform(count).map((u) => {
      const dt = Math.max(Math.exp(low + u * (high - low)), config.timeStepFloor);
      return dt + Math.log(-Math.expm1(-dt));
    });
}

/** A_log (E, N) = ln(1), ln(2), ..., ln(N) in every row: S4D-real. */
export function logRamp(dState: number): InitialValues {
  return (count) => new Float64Array(count).map((_, i) => Math.log((i % dState) + 1));
}

/** A_log (H) = ln of a number uniform in (low, high). */
export function logUniform(low: number, high: number): InitialValues {
  return (count, draws) => draws.uniform(count).map((u) => Math.log(low + u * (high - low)));
}
