/**
 * State space models with dense transitions, for comparison with diagonal ones:
 *   h_t = A_t h_{t-1} + b_t u_t;  y_t = c_t^T h_t;  M[t,s] = c_t^T A_t ... A_{s+1} b_s
 */
import { ArgumentError } from '../errors.js';
import { checkCount, checkLength, type Matrix, zeroMatrix } from './matrix.js';

/** Parameters of a dense SSM, row-major: transitions (T, N, N), b and c (T, N). A_0 is unused: the state starts as 0. */
export interface DenseSsm {
  readonly seqLen: number;
  readonly dState: number;
  readonly transitions: Float64Array;
  readonly b: Float64Array;
  readonly c: Float64Array;
}

/** A source of standard normal numbers; the generators of @statespace/tensor are such. */
export interface NormalSource {
  normal(count: number): Float64Array;
}

/**
 * The kernel M (T, T) of a dense SSM, O(N^2 T^2).
 * @throws {ShapeError | ArgumentError} naming what does not fit.
 */
export function denseKernel(ssm: DenseSsm): Matrix {
  const { seqLen, dState, transitions, b, c } = ssm;
  checkCount('denseKernel', 'ssm.seqLen', seqLen, 0);
  checkCount('denseKernel', 'ssm.dState', dState, 0);
  checkLength('denseKernel', 'ssm.transitions', transitions, seqLen * dState * dState);
  checkLength('denseKernel', 'ssm.b', b, seqLen * dState);
  checkLength('denseKernel', 'ssm.c', c, seqLen * dState);
  const kernel = zeroMatrix(seqLen, seqLen);
  for (let s = 0; s < seqLen; s++) {
    let state: Float64Array = b.slice(s * dState, (s + 1) * dState);
    for (let t = s; t < seqLen; t++) {
      if (t > s) state = applyTransition(transitions.subarray(t * dState * dState), state);
      kernel.data[t * seqLen + s] = dot(c.subarray(t * dState), state);
    }
  }
  return kernel;
}

/**
 * The kernel (T, T) of an SSM with DeltaNet's transitions A_t = I - beta k_t k_t^T, k_t a random unit vector (N), and
 * standard normal b_t, c_t. Reflections and contractions (beta = 2, 0.5) are regular and give N new columns; the
 * projection (beta = 1) is singular and gives T - N + 1.
 * @throws {ArgumentError} for sizes that are none, or a `beta` that is not finite.
 */
export function householderSsmKernel(
  seqLen: number,
  dState: number,
  beta: number,
  generator: NormalSource,
): Matrix {
  const op = 'householderSsmKernel';
  checkCount(op, 'seqLen', seqLen, 0);
  checkCount(op, 'dState', dState, 1);
  if (!Number.isFinite(beta)) {
    throw new ArgumentError({ op, argument: 'beta', wanted: 'a finite number', got: String(beta) });
  }
  const keys = generator.normal(seqLen * dState);
  const transitions = new Float64Array(seqLen * dState * dState);
  for (let t = 0; t < seqLen; t++) {
    const key = keys.subarray(t * dState, (t + 1) * dState);
    const square = dot(key, key);
    for (let i = 0; i < dState; i++) {
      for (let j = 0; j < dState; j++) {
        const outer = ((key[i] as number) * (key[j] as number)) / square;
        transitions[(t * dState + i) * dState + j] = (i === j ? 1 : 0) - beta * outer;
      }
    }
  }
  const [b, c] = [generator.normal(seqLen * dState), generator.normal(seqLen * dState)];
  return denseKernel({ seqLen, dState, transitions, b, c });
}

/**
 * Diagonal plus rank one: A_t = diag(a_t) - p_t q_t^T, with a, p, q (T, N), row-major; the result is (T, N, N).
 * @throws {ShapeError} unless a, p and q all have T N entries.
 */
export function diagonalPlusLowRank(
  { seqLen, dState }: { readonly seqLen: number; readonly dState: number },
  a: Float64Array,
  p: Float64Array,
  q: Float64Array,
): Float64Array {
  for (const [name, values] of Object.entries({ a, p, q })) {
    checkLength('diagonalPlusLowRank', name, values, seqLen * dState);
  }
  return Float64Array.from({ length: seqLen * dState * dState }, (_, at) => {
    const row = Math.floor(at / dState);
    const column = Math.floor(row / dState) * dState + (at % dState);
    const diagonal = row === column ? (a[row] as number) : 0;
    return diagonal - (p[row] as number) * (q[column] as number);
  });
}

function applyTransition(transition: Float64Array, state: Float64Array): Float64Array {
  return state.map((_, i) => dot(transition.subarray(i * state.length), state));
}

/** Inner product over the length of `y`. */
function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < y.length; i++) sum += (x[i] as number) * (y[i] as number);
  return sum;
}
