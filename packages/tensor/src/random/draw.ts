/** Random tensors for initial values: drawn on the host in float64, rounded once, the same on every device. */
import { ArgumentError, elementCount, formatShape } from '@statespace/ssd-core';
import { type TensorOptions, tensor } from '../create.js';
import { checkShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import type { Generator } from './generator.js';

export interface RandomOptions extends TensorOptions {
  readonly generator: Generator;
}

export interface NormalOptions extends RandomOptions {
  /** Default 0. */
  readonly mean?: number;
  /** Standard deviation. Default 1. */
  readonly std?: number;
}

export interface UniformOptions extends RandomOptions {
  /** Default 0. */
  readonly low?: number;
  /** Default 1. */
  readonly high?: number;
}

export interface KaimingOptions extends RandomOptions {
  /** Negative slope of the leaky ReLU that follows; sqrt(5) is torch's choice for linear layers. Default 0. */
  readonly a?: number;
}

/** Normal numbers: mean + std z. */
export function randn(shape: Shape, options: NormalOptions): Tensor {
  const { generator, mean = 0, std = 1, ...rest } = options;
  checkShape('randn', shape);
  const numbers = generator.normal(elementCount(shape));
  for (let i = 0; i < numbers.length; i++) numbers[i] = mean + std * (numbers[i] as number);
  return place(numbers, shape, rest);
}

/** Uniform numbers in (low, high). */
export function uniform(shape: Shape, options: UniformOptions): Tensor {
  const { generator, low = 0, high = 1, ...rest } = options;
  checkShape('uniform', shape);
  const numbers = generator.uniform(elementCount(shape));
  for (let i = 0; i < numbers.length; i++) numbers[i] = low + (high - low) * (numbers[i] as number);
  return place(numbers, shape, rest);
}

/**
 * Uniform numbers in (-b, b), b = sqrt(6 / ((1 + a^2) fanIn)) (He et al. 2015, arXiv:1502.01852).
 * `shape` (out, in, ...): fanIn is the product of all sizes but the first.
 */
export function kaimingUniform(shape: Shape, options: KaimingOptions): Tensor {
  const { a = 0, ...rest } = options;
  const fanIn = elementCount(shape.slice(1));
  if (shape.length < 2 || fanIn === 0) {
    throw new ArgumentError({
      op: 'kaimingUniform',
      argument: 'shape',
      wanted: '(out, in, ...) with at least one input',
      got: formatShape(shape),
    });
  }
  const bound = Math.sqrt(6 / ((1 + a * a) * fanIn));
  return uniform(shape, { ...rest, low: -bound, high: bound });
}

function place(numbers: Float64Array, shape: Shape, options: TensorOptions): Tensor {
  return tensor(numbers, { ...options, dtype: options.dtype ?? 'f32', shape });
}
