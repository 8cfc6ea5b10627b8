/** Initial values of the state-space parameters; those of Mamba and Mamba-2 as in mamba_ssm. */
import type { SharedConfig } from '../config/model-config.js';
import type { InitialDraws, InitialValues } from './parameter-source.js';

/**
 * Bias b with softplus(b) = dt, dt log-uniform in [timeStepMin, timeStepMax] and at least timeStepFloor:
 *   b = dt + ln(-expm1(-dt)),   the inverse of softplus.
 */
export function stepBias(config: StepRange): InitialValues {
  return (count, draws) => steps(config, count, draws).map((dt) => dt + Math.log(-Math.expm1(-dt)));
}

type StepRange = Pick<SharedConfig, 'timeStepMin' | 'timeStepMax' | 'timeStepFloor'>;

function steps(config: StepRange, count: number, draws: InitialDraws): Float64Array {
  const low = Math.log(config.timeStepMin);
  const high = Math.log(config.timeStepMax);
  return draws.uniform(count).map((u) => Math.max(Math.exp(low + u * (high - low)), config.timeStepFloor));
}

/**
 * theta (E, N) = ln(dt n), n = 1, ..., N, dt of each row as in `stepBias`: the decays exp(-exp(theta)) = exp(-dt n) that
 * Mamba starts with. Where a row has one number, n is uniform in (1, 16), as for the heads of Mamba-2.
 */
export function logDecayRates(config: StepRange, perRow: number): InitialValues {
  return (count, draws) => {
    const dt = steps(config, count / perRow, draws);
    if (perRow === 1)
      return draws.uniform(count).map((u, row) => Math.log((dt[row] as number) * (1 + 15 * u)));
    return new Float64Array(count).map((_, i) =>
      Math.log((dt[Math.floor(i / perRow)] as number) * ((i % perRow) + 1)),
    );
  };
}

/**
 * B = sqrt(1 - a^2), a = exp(-exp(theta)): the state h[t] = a h[t-1] + B x[t] of white noise then has the variance of the
 * noise, however slow its decay (Orvieto et al. 2023, arXiv:2303.06349, section 3.4).
 * @param theta initial values, each used `repeats` times in a row
 */
export function unitStateGain(theta: () => ArrayLike<number>, repeats: number): InitialValues {
  return (count) => {
    const logRates = theta();
    return new Float64Array(count).map((_, i) =>
      Math.sqrt(-Math.expm1(-2 * Math.exp(logRates[Math.floor(i / repeats)] as number))),
    );
  };
}

/** A_log (E, N) = ln(1), ln(2), ..., ln(N) in every row: S4D-real. */
export function logRamp(dState: number): InitialValues {
  return (count) => new Float64Array(count).map((_, i) => Math.log((i % dState) + 1));
}

/** A_log (H) = ln of a number uniform in (low, high). */
export function logUniform(low: number, high: number): InitialValues {
  return (count, draws) => draws.uniform(count).map((u) => Math.log(low + u * (high - low)));
}
