/** Where layers get their parameters from, and the rules for initial values. */
import { elementCount } from '@statespace/ssd-core';
import { empty, type Parameter, parameter, tensor } from '@statespace/tensor';

/** Random numbers for initial values, float64. */
export interface InitialDraws {
  /** `count` numbers uniform in (0, 1). */
  uniform(count: number): Float64Array;
  /** `count` standard normal numbers. */
  normal(count: number): Float64Array;
}

/** Initial values of `count` elements, row-major. */
export type InitialValues = (count: number, draws: InitialDraws) => Float64Array;

export interface ParameterMetadata {
  /** Whether weight decay applies: to matrices and the convolution, not to norms, biases, A_log, D, dt bias. */
  readonly decay: boolean;
}

/** Makes parameters for layers. */
export interface ParameterSource {
  create(shape: readonly number[], values: InitialValues, metadata: ParameterMetadata): Parameter;
}

export interface ParameterPlace {
  readonly device?: string;
  /** Default `'f32'`. */
  readonly dtype?: 'f32' | 'f64';
}

/** Parameters with random initial values, drawn on the host in float64 and rounded once: the same on every device. */
export function randomParameters(
  draws: InitialDraws,
  { device, dtype = 'f32' }: ParameterPlace,
): ParameterSource {
  return {
    create: (shape, values, metadata) => {
      const options = device === undefined ? { shape, dtype } : { shape, dtype, device };
      return parameter(tensor(values(elementCount(shape), draws), options), metadata);
    },
  };
}

/** Parameters whose values a checkpoint will set. */
export function blankParameters({ device, dtype = 'f32' }: ParameterPlace): ParameterSource {
  return {
    create: (shape, _values, metadata) =>
      parameter(empty(shape, device === undefined ? { dtype } : { dtype, device }), metadata),
  };
}

/** Every element is `value`. */
export function constant(value: number): InitialValues {
  return (count) => new Float64Array(count).fill(value);
}

/** Uniform in (-bound, bound). */
export function uniformWithin(bound: number): InitialValues {
  return (count, draws) => draws.uniform(count).map((u) => (2 * u - 1) * bound);
}

/** Normal with mean 0 and standard deviation `std`. */
export function normalWith(std: number): InitialValues {
  return (count, draws) => draws.normal(count).map((z) => z * std);
}

/**
 * Default of linear and convolution layers: Kaiming-uniform with a = sqrt(5), that is U(-1/sqrt(fanIn), 1/sqrt(fanIn)),
 * divided by `shrink`.
 */
export function fanInUniform(fanIn: number, shrink = 1): InitialValues {
  return uniformWithin(1 / (Math.sqrt(fanIn) * shrink));
}
