/** Numerical gradients, the judge of every backward rule. */
import { type HostTensor, maxRelativeError } from './arrays.js';

/**
 * Gradient of a scalar function by fourth-order central differences,
 *   (f(x-2h) - 8 f(x-h) + 8 f(x+h) - f(x+2h)) / 12h,
 * error O(h^4) + O(eps/h). With the default step both terms are near 1e-11 for smooth f of size one, far
 * below what a wrong backward rule shows. `x` is changed during the call and restored.
 */
export function finiteDifferenceGradient(f: () => number, x: Float64Array, step = 2e-3): Float64Array {
  const gradient = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) {
    const centre = x[i] as number;
    const at = (offset: number): number => {
      x[i] = centre + offset;
      return f();
    };
    gradient[i] = (at(-2 * step) - 8 * at(-step) + 8 * at(step) - at(2 * step)) / (12 * step);
    x[i] = centre;
  }
  return gradient;
}

/**
 * Errors (`maxRelativeError`) of `gradients` against finite differences of `loss`, one for each input that has a
 * gradient: that of `x` is `gradX`. Inputs without one, or that are no float64 tensors, are left out; a
 * gradient whose input is missing is an error.
 */
export function gradientErrors(
  loss: () => number,
  inputs: Readonly<Record<string, unknown>>,
  gradients: Readonly<Record<string, HostTensor | undefined>>,
): Record<string, number> {
  const errors: Record<string, number> = {};
  for (const [name, gradient] of Object.entries(gradients)) {
    if (gradient === undefined) continue;
    const input = Object.entries(inputs).find(
      ([key]) => `grad${key[0]?.toUpperCase()}${key.slice(1)}` === name,
    );
    if (input === undefined) throw new RangeError(`no input for the gradient '${name}'`);
    const { data } = input[1] as HostTensor;
    errors[name] = maxRelativeError(gradient, finiteDifferenceGradient(loss, data));
  }
  return errors;
}
