/** Scalar functions inside the state-space ops: the step's softplus and the gate's SiLU. */

/** Above this, softplus(v) = v: log1p(exp v) - v < 2.1e-9 there. The public implementations use the same. */
export const softplusThreshold = 20;

/** log(1 + exp v), linear above 20. `log1p` keeps the digits of small steps that `log(1 + exp v)` loses. */
export function softplus(v: number): number {
  return v <= softplusThreshold ? Math.log1p(Math.exp(v)) : v;
}

/** Derivative of `softplus`: sigmoid(v), 1 above 20. */
export function softplusDerivative(v: number): number {
  return v <= softplusThreshold ? sigmoid(v) : 1;
}

/** 1 / (1 + exp(-v)), computed from the side on which the exponential cannot overflow. */
export function sigmoid(v: number): number {
  if (v >= 0) return 1 / (1 + Math.exp(-v));
  const e = Math.exp(v);
  return e / (1 + e);
}

/** SiLU, v sigmoid(v). */
export function silu(v: number): number {
  return v * sigmoid(v);
}

/** Derivative of SiLU: sigmoid(v) (1 + v (1 - sigmoid(v))). */
export function siluDerivative(v: number): number {
  const s = sigmoid(v);
  return s * (1 + v * (1 - s));
}
