/**
 * Step sizes: dt = clamp(softplus(raw + bias), low, high), as both families of scans use them (the selective
 * scan without the clamp).
 */
import { ArgumentError } from '../errors.js';
import { softplus, softplusDerivative } from './activations.js';

/** Lower and upper bound of a step, after softplus. */
export type StepLimit = readonly [number, number];

const defaultLimit: StepLimit = [0, Number.POSITIVE_INFINITY];

/**
 * The bounds to use, [0, Infinity] by default.
 * @throws {ArgumentError} unless they are two numbers in order.
 */
export function checkStepLimit(op: string, limit: StepLimit | undefined): StepLimit {
  if (limit === undefined) return defaultLimit;
  if (Array.isArray(limit) && limit.length === 2) {
    const [low, high] = limit as [unknown, unknown];
    // Also false where a bound is NaN.
    if (typeof low === 'number' && typeof high === 'number' && low <= high) return [low, high];
  }
  throw new ArgumentError({
    op,
    argument: 'dtLimit',
    wanted: 'two numbers [low, high], low <= high',
    got: Array.isArray(limit) ? `[${limit.map(String).join(', ')}]` : String(limit),
  });
}

/** How raw steps become steps. */
export interface StepOptions {
  /** One number for each entry of the last axis. */
  readonly bias?: Float64Array | undefined;
  readonly softplus: boolean;
  readonly limit?: StepLimit;
}

/** Steps of raw numbers whose last axis has `width` entries. */
export function stepSizes(raw: Float64Array, width: number, options: StepOptions): Float64Array {
  const { bias, limit } = options;
  const steps = new Float64Array(raw.length);
  for (let i = 0; i < raw.length; i++) {
    const biased = (raw[i] as number) + (bias === undefined ? 0 : (bias[i % width] as number));
    const step = options.softplus ? softplus(biased) : biased;
    steps[i] = limit === undefined ? step : clampStep(step, limit);
  }
  return steps;
}

/** A step within its limits; a NaN stays a NaN, so that a diverged step shows. */
export function clampStep(step: number, [low, high]: StepLimit): number {
  return step < low ? low : step > high ? high : step;
}

/** Gradients of the raw steps and of the bias (absent where there is none). */
export interface StepGradients {
  readonly gradRaw: Float64Array;
  readonly gradBias: Float64Array | undefined;
}

/** Backward of `stepSizes`: sigmoid(raw + bias) through softplus, zero outside the limits. */
export function stepSizesBackward(
  gradSteps: Float64Array,
  raw: Float64Array,
  width: number,
  options: StepOptions,
): StepGradients {
  const { bias, limit } = options;
  const gradRaw = new Float64Array(raw.length);
  const gradBias = bias === undefined ? undefined : new Float64Array(width);
  for (let i = 0; i < raw.length; i++) {
    const lane = i % width;
    const biased = (raw[i] as number) + (bias === undefined ? 0 : (bias[lane] as number));
    const step = options.softplus ? softplus(biased) : biased;
    if (limit !== undefined && (step < limit[0] || step > limit[1])) continue;
    const slope = options.softplus ? softplusDerivative(biased) : 1;
    const gradient = (gradSteps[i] as number) * slope;
    gradRaw[i] = gradient;
    if (gradBias !== undefined) gradBias[lane] = (gradBias[lane] as number) + gradient;
  }
  return { gradRaw, gradBias };
}
