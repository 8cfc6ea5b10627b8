/** The gate at the end of a state-space op: out = y SiLU(z). */
import { silu, siluDerivative } from './activations.js';

/** Multiplies `y` by SiLU(z) in place; leaves it alone where there is no gate. */
export function applyGate(y: Float64Array, z: Float64Array | undefined): void {
  if (z === undefined) return;
  for (let i = 0; i < y.length; i++) y[i] = (y[i] as number) * silu(z[i] as number);
}

/** Gradient of the ungated output: gradOut SiLU(z), or `gradOut` itself where there is no gate. */
export function gradientBeforeGate(gradOut: Float64Array, z: Float64Array | undefined): Float64Array {
  if (z === undefined) return gradOut;
  const gradY = new Float64Array(gradOut.length);
  for (let i = 0; i < gradOut.length; i++) gradY[i] = (gradOut[i] as number) * silu(z[i] as number);
  return gradY;
}

/** Gradient of the gate: gradOut y SiLU'(z), with `y` the ungated output. */
export function gateGradient(gradOut: Float64Array, y: Float64Array, z: Float64Array): Float64Array {
  const gradZ = new Float64Array(gradOut.length);
  for (let i = 0; i < gradOut.length; i++) {
    gradZ[i] = (gradOut[i] as number) * (y[i] as number) * siluDerivative(z[i] as number);
  }
  return gradZ;
}
