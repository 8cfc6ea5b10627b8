/**
 * The scalar recurrence h[t] = a h[t-1] + u[t], y = h, in numbers of few bits, against float64. Every stored number and
 * every result of an operation is rounded to nearest, ties to even.
 */
import { decodeBfloat16, decodeFloat16, encodeBfloat16, encodeFloat16 } from '@statespace/ssd-core';

/** A float64 to the nearest number of a format. */
export type Rounding = (value: number) => number;

export const toFloat64: Rounding = (value) => value;
export const toFloat32: Rounding = Math.fround;
export const toFloat16: Rounding = (value) => decodeFloat16(encodeFloat16(value));
export const toBfloat16: Rounding = (value) => decodeBfloat16(encodeBfloat16(value));

/** Which numbers of the recurrence are kept in which format. */
export interface RecurrenceFormats {
  /** Inputs u as they are stored. */
  readonly input: Rounding;
  /** The decay as the recurrence sees it, from the exact one. */
  readonly decay: Rounding;
  /** Products, sums and the state. */
  readonly state: Rounding;
  /** Outputs y as they are stored. */
  readonly output: Rounding;
}

/** Everything in one format, the decay itself included. */
export function uniformFormats(rounding: Rounding): RecurrenceFormats {
  return { input: rounding, decay: rounding, state: rounding, output: rounding };
}

/**
 * The remedy: inputs and outputs in `storage`, state and log-decay in float32. The decay is exp(ln a), computed and
 * kept in float32, as kernels that are handed delta A do.
 */
export function float32StateFormats(storage: Rounding): RecurrenceFormats {
  const decay = (a: number): number => toFloat32(Math.exp(toFloat32(Math.log(a))));
  return { input: storage, decay, state: toFloat32, output: storage };
}

/** The formats of the study, in the order of its tables; those of the figure first. */
export const precisionSchemes = {
  f32: uniformFormats(toFloat32),
  f16: uniformFormats(toFloat16),
  bf16: uniformFormats(toBfloat16),
  'f16, state f32': float32StateFormats(toFloat16),
  'bf16, state f32': float32StateFormats(toBfloat16),
  // One half of the remedy at a time: which of the two roundings does the harm.
  'bf16, only decay f32': { ...uniformFormats(toBfloat16), decay: toFloat32 },
  'bf16, only state f32': { ...uniformFormats(toBfloat16), state: toFloat32 },
} as const satisfies Record<string, RecurrenceFormats>;

export type PrecisionScheme = keyof typeof precisionSchemes;

/** y (T) of inputs u (T), h[-1] = 0. */
export function roundedRecurrence(a: number, u: Float64Array, formats: RecurrenceFormats): Float64Array {
  const decay = formats.decay(a);
  const { input, state, output } = formats;
  let h = 0;
  return u.map((value) => {
    h = state(state(decay * h) + input(value));
    return output(h);
  });
}

/** The recurrence in float64: the reference of the study. */
export function exactRecurrence(a: number, u: Float64Array): Float64Array {
  return roundedRecurrence(a, u, uniformFormats(toFloat64));
}

/**
 * max|y - exact| / max|exact| over the first T steps, for every T of `seqLens`. The recurrence is causal: one pass
 * over the longest sequence serves all lengths.
 */
export function prefixErrors(y: Float64Array, exact: Float64Array, seqLens: readonly number[]): number[] {
  const errors = new Float64Array(exact.length);
  let worst = 0;
  let largest = 0;
  for (const [t, value] of exact.entries()) {
    worst = Math.max(worst, Math.abs((y[t] as number) - value));
    largest = Math.max(largest, Math.abs(value));
    errors[t] = worst / largest;
  }
  return seqLens.map((seqLen) => errors[seqLen - 1] as number);
}
