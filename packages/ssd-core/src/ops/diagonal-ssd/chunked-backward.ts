/**
 * Backward pass of one head in chunked form. With e = gradient of y, G the gradient of the state after the chunk, H the
 * state before it, and per state n the decays E, R, O of `chunked.ts` and W = exp(a[1] + ... + a[Q]); chunks run
 * backwards:
 *   q[s]       = sum over l >= s of S[l,s] e[l] + G (R[s] * B[s])        gradX = dt q     gradDt = x . q  (+ A . gradA)
 *   M[l,s]     = dt[s] (e[l] . x[s])
 *   gradC[l,n] = sum over s of M[l,s] E[l,s,n] B[s,n] + O[l,n] (H^T e[l])[n]
 *   gradB[s,n] = sum over l of M[l,s] E[l,s,n] C[l,n] + R[s,n] dt[s] (G^T x[s])[n]
 *   G         <- G diag(W) + sum over l of e[l] (O[l] * C[l])^T
 * and for the log decays, a sum over what crosses step t, in which nothing is subtracted:
 *   gradA[t,n] = sum over l >= t > s of M[l,s] C[l,n] E[l,s,n] B[s,n] + sum over l >= t of O[l,n] C[l,n] (H^T e[l])[n]
 *              + sum over s < t of R[s,n] dt[s] B[s,n] (G^T x[s])[n] + W[n] sum over p of H[p,n] G[p,n]
 * `pair-gradients.ts` has the sums over pairs of steps.
 */
import { chunkScores, passDiagonalState } from './chunked.js';
import type { DiagonalHead } from './diagonal-head.js';
import { addPairGradients } from './pair-gradients.js';
import { chunksOf, decaysAfter, decaysBefore, lastOf, type Steps } from './tile-decays.js';

/** Gradients of one head. */
export interface DiagonalHeadGradients {
  /** (L, P) */
  readonly x: Float64Array;
  /** Of dt where it multiplies x B^T, without the part through a = dt A, (L). */
  readonly dt: Float64Array;
  /** Of the log decays a, (L, N). */
  readonly a: Float64Array;
  /** (L, N) */
  readonly B: Float64Array;
  /** (L, N) */
  readonly C: Float64Array;
  /** Of the initial state, (P, N). */
  readonly initial: Float64Array;
}

/** Gradients of sum(gradY y) + sum(gradState lastState); gradY (L, P), gradState (P, N). */
export function chunkedDiagonalHeadBackward(
  head: DiagonalHead,
  chunkSize: number,
  gradY: Float64Array,
  gradState: Float64Array,
): DiagonalHeadGradients {
  const gradients: DiagonalHeadGradients = {
    x: new Float64Array(head.x.length),
    dt: new Float64Array(head.steps),
    a: new Float64Array(head.a.length),
    B: new Float64Array(head.B.length),
    C: new Float64Array(head.C.length),
    initial: gradState.slice(),
  };
  const chunks = chunksOf(head.steps, chunkSize);
  const state = head.initial.slice();
  const before = chunks.map((chunk) => {
    const held = state.slice();
    passDiagonalState(head, chunk, state);
    return held;
  });
  for (let c = chunks.length - 1; c >= 0; c--) {
    const chunk = chunks[c] as Steps;
    withinChunk(head, chunk, gradY, gradients);
    acrossChunk(head, chunk, before[c] as Float64Array, gradY, gradients);
  }
  return gradients;
}

/** What pairs of steps of one chunk give. */
function withinChunk(
  head: DiagonalHead,
  chunk: Steps,
  gradY: Float64Array,
  gradients: DiagonalHeadGradients,
): void {
  const { headDim, x, dt } = head;
  const { first, length } = chunk;
  const scores = chunkScores(head, chunk);
  const pairs = new Float64Array(length * length);
  for (let l = 0; l < length; l++) {
    for (let s = 0; s <= l; s++) {
      const [rowE, rowX] = [(first + l) * headDim, (first + s) * headDim];
      const score = scores[l * length + s] as number;
      const step = dt[first + s] as number;
      let inner = 0;
      for (let p = 0; p < headDim; p++) {
        const e = gradY[rowE + p] as number;
        inner += e * (x[rowX + p] as number);
        gradients.x[rowX + p] = (gradients.x[rowX + p] as number) + step * score * e;
      }
      gradients.dt[first + s] = (gradients.dt[first + s] as number) + score * inner;
      pairs[l * length + s] = step * inner;
    }
  }
  addPairGradients(head, chunk, pairs, gradients);
}

/** What the states before and after one chunk give; `gradients.initial` goes from after to before. */
function acrossChunk(
  head: DiagonalHead,
  chunk: Steps,
  before: Float64Array,
  gradY: Float64Array,
  gradients: DiagonalHeadGradients,
): void {
  const { headDim, dState, x, dt, B, C } = head;
  const { first, length } = chunk;
  const after = gradients.initial;
  const fromStart = decaysAfter(head, first - 1, chunk);
  const toEnd = decaysBefore(head, lastOf(chunk), chunk);
  const whole = fromStart.subarray((length - 1) * dState);
  for (let n = 0; n < dState; n++) {
    let passed = 0;
    for (let p = 0; p < headDim; p++) {
      passed += (before[p * dState + n] as number) * (after[p * dState + n] as number);
    }
    passed *= whole[n] as number;
    // Forward: what entered the state at s < t reaches its end through t.
    let entered = 0;
    for (let s = 0; s < length; s++) {
      const at = (first + s) * dState + n;
      const step = dt[first + s] as number;
      const written = (toEnd[s * dState + n] as number) * (B[at] as number);
      let inner = 0;
      for (let p = 0; p < headDim; p++) {
        const place = (first + s) * headDim + p;
        const grad = after[p * dState + n] as number;
        inner += grad * (x[place] as number);
        gradients.x[place] = (gradients.x[place] as number) + step * written * grad;
      }
      gradients.B[at] = (gradients.B[at] as number) + (toEnd[s * dState + n] as number) * step * inner;
      gradients.dt[first + s] = (gradients.dt[first + s] as number) + written * inner;
      gradients.a[at] = (gradients.a[at] as number) + entered + passed;
      entered += step * written * inner;
    }
    for (let p = 0; p < headDim; p++) {
      after[p * dState + n] = (whole[n] as number) * (after[p * dState + n] as number);
    }
    // Backward: what leaves the state at l >= t came through t.
    let leaving = 0;
    for (let l = length - 1; l >= 0; l--) {
      const at = (first + l) * dState + n;
      const decay = fromStart[l * dState + n] as number;
      const c = C[at] as number;
      let inner = 0;
      for (let p = 0; p < headDim; p++) {
        const e = gradY[(first + l) * headDim + p] as number;
        inner += e * (before[p * dState + n] as number);
        after[p * dState + n] = (after[p * dState + n] as number) + decay * c * e;
      }
      gradients.C[at] = (gradients.C[at] as number) + decay * inner;
      leaving += decay * c * inner;
      gradients.a[at] = (gradients.a[at] as number) + leaving;
    }
  }
}
