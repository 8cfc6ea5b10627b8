/** What oracles return: row-major float64 tensors. */
import type { DType } from '../dtype.js';
import type { TensorLike } from '../tensor-like.js';

/** A contiguous tensor in float64; complex ones are tagged `c128` and have a last axis of 2 (re, im). */
export interface Float64Tensor extends TensorLike {
  readonly data: Float64Array;
  readonly strides?: undefined;
  readonly offset?: undefined;
  readonly dtype: 'f64' | 'c128';
}

/** Formats of a complex argument: tagged, or plain floats whose last axis holds (re, im). */
export const complexDTypes: readonly DType[] = ['c64', 'c128', 'f32', 'f64'];

/** `data` as a tensor of `shape`. */
export function float64Tensor(
  data: Float64Array,
  shape: readonly number[],
  dtype: 'f64' | 'c128' = 'f64',
): Float64Tensor {
  return { data, shape, dtype };
}
