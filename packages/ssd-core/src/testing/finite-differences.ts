/** Numerical gradients, the judge of every backward rule. */

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
