/** Scalar functions and their derivatives in float64, each in a form that neither overflows nor cancels. */
import type { UnaryOp } from '../../kernels/dense-args.js';
import { sigmoid, silu, siluDerivative, softplus, softplusDerivative } from '../activations.js';
import { erfc } from './error-function.js';

/** A function of one number with its derivative. */
export interface ScalarFunction {
  readonly value: (x: number) => number;
  readonly derivative: (x: number) => number;
}

const sqrtHalf = Math.SQRT1_2;
const oneOverSqrt2Pi = 0.3989422804014327;
const sqrt2OverPi = 0.7978845608028654;
const geluCubic = 0.044715;

/** Standard normal distribution function. */
const normalCdf = (x: number) => 0.5 * erfc(-x * sqrtHalf);
const normalDensity = (x: number) => oneOverSqrt2Pi * Math.exp(-0.5 * x * x);

/** x * Phi(x); Hendrycks & Gimpel 2016, arXiv:1606.08415. */
const gelu: ScalarFunction = {
  value: (x) => (x === Number.NEGATIVE_INFINITY ? 0 : x * normalCdf(x)),
  derivative: (x) => normalCdf(x) + (Number.isFinite(x) ? x * normalDensity(x) : 0),
};

/** 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), written with 0.5 (1 + tanh(y)) = sigmoid(2y). */
const geluTanh: ScalarFunction = {
  value: (x) => (x === Number.NEGATIVE_INFINITY ? 0 : x * sigmoid(2 * geluArgument(x))),
  derivative: (x) => {
    const s = sigmoid(2 * geluArgument(x));
    const slope = 2 * sqrt2OverPi * (1 + 3 * geluCubic * x * x);
    return s * (1 - s) === 0 ? s : s + x * s * (1 - s) * slope;
  },
};
const geluArgument = (x: number) => sqrt2OverPi * x * (1 + geluCubic * x * x);

/** Every `UnaryOp`. */
export const scalarFunctions: Readonly<Record<UnaryOp, ScalarFunction>> = {
  neg: { value: (x) => -x, derivative: () => -1 },
  abs: { value: Math.abs, derivative: Math.sign },
  square: { value: (x) => x * x, derivative: (x) => 2 * x },
  sqrt: { value: Math.sqrt, derivative: (x) => 0.5 / Math.sqrt(x) },
  rsqrt: { value: (x) => 1 / Math.sqrt(x), derivative: (x) => -0.5 / (x * Math.sqrt(x)) },
  reciprocal: { value: (x) => 1 / x, derivative: (x) => -1 / (x * x) },
  exp: { value: Math.exp, derivative: Math.exp },
  expm1: { value: Math.expm1, derivative: Math.exp },
  log: { value: Math.log, derivative: (x) => 1 / x },
  log1p: { value: Math.log1p, derivative: (x) => 1 / (1 + x) },
  sin: { value: Math.sin, derivative: Math.cos },
  cos: { value: Math.cos, derivative: (x) => -Math.sin(x) },
  tanh: {
    value: Math.tanh,
    derivative: (x) => {
      // 1 - tanh^2 loses every digit where tanh rounds to 1; 4 s (1 - s) with s = sigmoid(2x) does not.
      return 4 * sigmoid(2 * x) * sigmoid(-2 * x);
    },
  },
  sigmoid: { value: sigmoid, derivative: (x) => sigmoid(x) * sigmoid(-x) },
  logSigmoid: {
    value: (x) => Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x))),
    derivative: (x) => sigmoid(-x),
  },
  silu: { value: silu, derivative: siluDerivative },
  softplus: { value: softplus, derivative: softplusDerivative },
  relu: { value: (x) => Math.max(x, 0), derivative: (x) => (x > 0 ? 1 : 0) },
  gelu,
  geluTanh,
};
