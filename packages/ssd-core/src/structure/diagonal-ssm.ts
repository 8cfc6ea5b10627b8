/**
 * The diagonal state space model, one input and one output, N states, parameters that may change at every step:
 *   h_t[n] = a_t[n] h_{t-1}[n] + b_t[n] u_t;  y_t = sum_n c_t[n] h_t[n]
 * Source: Hu et al. 2025, arXiv:2510.04944, section 2.
 */
import { checkCount, checkLength } from './matrix.js';

/** Parameters of a diagonal SSM; a, b, c (T, N), row-major. The state before the first step is zero. */
export interface DiagonalSsm {
  readonly seqLen: number;
  readonly dState: number;
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly c: Float64Array;
}

/**
 * A diagonal SSM whose decays and weights are the same at every step; `decays`, `b`, `c` (N), b = c = 1 by default.
 * @throws {ShapeError} when lengths differ. @throws {ArgumentError} for a `seqLen` that is no length.
 */
export function constantDiagonalSsm(
  seqLen: number,
  decays: readonly number[],
  { b, c }: { readonly b?: ArrayLike<number>; readonly c?: ArrayLike<number> } = {},
): DiagonalSsm {
  const op = 'constantDiagonalSsm';
  checkCount(op, 'seqLen', seqLen, 0);
  const dState = decays.length;
  const ones = new Float64Array(dState).fill(1);
  const repeated = (argument: string, row: ArrayLike<number>): Float64Array => {
    checkLength(op, argument, row, dState);
    return Float64Array.from({ length: seqLen * dState }, (_, i) => row[i % dState] as number);
  };
  return {
    seqLen,
    dState,
    a: repeated('decays', decays),
    b: repeated('b', b ?? ones),
    c: repeated('c', c ?? ones),
  };
}

/**
 * The outputs y (T) for inputs u (T), step by step, O(N T).
 * @throws {ShapeError | ArgumentError} naming what does not fit.
 */
export function runDiagonalSsm(ssm: DiagonalSsm, u: Float64Array): Float64Array {
  checkDiagonalSsm('runDiagonalSsm', ssm);
  checkLength('runDiagonalSsm', 'u', u, ssm.seqLen);
  const { seqLen, dState, a, b, c } = ssm;
  const state = new Float64Array(dState);
  const y = new Float64Array(seqLen);
  for (let t = 0; t < seqLen; t++) {
    let sum = 0;
    for (let n = 0; n < dState; n++) {
      const i = t * dState + n;
      const decayed = t === 0 ? 0 : (a[i] as number) * (state[n] as number);
      const h = decayed + (b[i] as number) * (u[t] as number);
      state[n] = h;
      sum += (c[i] as number) * h;
    }
    y[t] = sum;
  }
  return y;
}

/** @throws {ShapeError | ArgumentError} unless a, b and c all are (T, N). */
export function checkDiagonalSsm(op: string, { seqLen, dState, a, b, c }: DiagonalSsm): void {
  checkCount(op, 'ssm.seqLen', seqLen, 0);
  checkCount(op, 'ssm.dState', dState, 0);
  for (const [name, values] of Object.entries({ a, b, c })) {
    checkLength(op, `ssm.${name}`, values, seqLen * dState);
  }
}
