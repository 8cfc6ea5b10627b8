/** Checks gradients against finite differences, in float64. */
import { ArgumentError } from '@statespace/ssd-core';
import { tensor } from '../create.js';
import { getDeviceKernels } from '../device.js';
import { Generator } from '../random/generator.js';
import { scope } from '../scope.js';
import type { Tensor } from '../tensor.js';
import { noGrad } from './mode.js';

export interface GradcheckOptions {
  /** Half the distance of the central difference. Default 1e-6. */
  readonly eps?: number;
  /** Largest error that passes. Default 1e-6. */
  readonly tolerance?: number;
  /** Seed of the weights that several outputs are summed with. Default 0. */
  readonly seed?: number;
}

/** Where the two derivatives differ most. */
export interface GradcheckEntry {
  readonly input: number;
  /** Row-major position in that input. */
  readonly index: number;
  readonly analytic: number;
  readonly numeric: number;
}

export interface GradcheckResult {
  readonly passed: boolean;
  /** Largest |analytic - numeric| / max(1, largest |numeric| of that input). */
  readonly maxError: number;
  readonly worst: GradcheckEntry | undefined;
}

/**
 * Compares the gradients of `fn` with central differences (f(x + eps) - f(x - eps)) / 2 eps, summing all outputs
 * with fixed random weights. Inputs that require no gradient are left alone. `fn` must be deterministic.
 * @throws {ArgumentError} unless the inputs are float64 tensors of the reference device, and one wants a gradient.
 */
export function gradcheck(
  fn: (...inputs: Tensor[]) => Tensor | readonly Tensor[],
  inputs: readonly Tensor[],
  { eps = 1e-6, tolerance = 1e-6, seed = 0 }: GradcheckOptions = {},
): GradcheckResult {
  checkInputs(inputs);
  const analytic = scope(() => gradients(fn, inputs, seed));
  let maxError = 0;
  let worst: GradcheckEntry | undefined;
  inputs.forEach((input, position) => {
    const gradient = analytic[position];
    if (gradient === undefined) return;
    const values = input.toArray();
    const numeric = Array.from(values, (value, index) => {
      const at = (shifted: number) => {
        values[index] = shifted;
        input.copyFrom(values);
        return scope(() => noGrad(() => weightedSum(fn(...inputs), seed).item()));
      };
      const slope = (at(value + eps) - at(value - eps)) / (2 * eps);
      at(value);
      return slope;
    });
    const scale = numeric.reduce((largest, slope) => Math.max(largest, Math.abs(slope)), 1);
    numeric.forEach((slope, index) => {
      const error = Math.abs((gradient[index] as number) - slope) / scale;
      // A NaN compares false with everything, and must not pass for a match.
      if (error <= maxError && worst !== undefined) return;
      maxError = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
      worst = { input: position, index, analytic: gradient[index] as number, numeric: slope };
    });
  });
  return { passed: maxError <= tolerance, maxError, worst };
}

function checkInputs(inputs: readonly Tensor[]): void {
  const kernels = getDeviceKernels('reference');
  inputs.forEach((input, i) => {
    if (!input.requiresGrad) return;
    const fits = input.kernels === kernels && input.dtype === 'f64' && input.node === undefined;
    if (fits) return;
    throw new ArgumentError({
      op: 'gradcheck',
      argument: `inputs[${i}]`,
      wanted: 'a leaf of f64 on reference',
      got: `${input.node === undefined ? 'a leaf' : 'a result'} of ${input.dtype} on ${input.device}`,
    });
  });
  if (!inputs.some((input) => input.requiresGrad)) {
    throw new ArgumentError({
      op: 'gradcheck',
      argument: 'inputs',
      wanted: 'at least one that requires a gradient',
      got: 'none',
    });
  }
}

/** The gradient of each input as numbers; the inputs' own `grad` stays as it was. */
function gradients(
  fn: (...inputs: Tensor[]) => Tensor | readonly Tensor[],
  inputs: readonly Tensor[],
  seed: number,
): (Float64Array | undefined)[] {
  const leaves = inputs.map((input) => {
    const leaf = input.detach();
    leaf.requiresGrad = input.requiresGrad;
    return leaf;
  });
  const total = weightedSum(fn(...leaves), seed);
  if (total.requiresGrad) total.backward();
  return leaves.map((leaf) => {
    if (!leaf.requiresGrad) return undefined;
    return leaf.grad === undefined ? new Float64Array(leaf.size) : Float64Array.from(leaf.grad.toArray());
  });
}

function weightedSum(outputs: Tensor | readonly Tensor[], seed: number): Tensor {
  const generator = new Generator(seed);
  const list = Array.isArray(outputs) ? (outputs as readonly Tensor[]) : [outputs as Tensor];
  const sums = list.map((output) => {
    const weights = tensor(generator.normal(output.size), { shape: output.shape, device: 'reference' });
    return output.mul(weights).sum();
  });
  return sums.reduce((total, part) => total.add(part));
}
