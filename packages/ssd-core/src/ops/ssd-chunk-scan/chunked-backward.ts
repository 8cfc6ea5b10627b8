/**
 * Backward pass of one head in chunked form. With e = gradient of y, G the gradient of the state after the
 * chunk, H the state before it, S = exp(a[1] + ... + a[Q]), and E, R, O as in `chunked.ts`; chunks run backwards:
 *   q[s]    = sum over l >= s of (C[l].B[s]) E[l,s] e[l] + R[s] G B[s]
 *   gradX   = dt q            gradDt = x . q  (+ A gradDecay, added by the caller)
 *   V[l,s]  = E[l,s] dt[s] (e[l] . x[s])
 *   gradC[l] = sum over s of V[l,s] B[s] + O[l] H^T e[l]
 *   gradB[s] = sum over l of V[l,s] C[l] + R[s] dt[s] G^T x[s]
 *   G       <- S G + sum over l of O[l] e[l] C[l]^T
 * and for the log decays, with W = V (C.B):
 *   gradA[t] = sum over l >= t > s of W[l,s] + sum over l >= t of O[l] e[l].(H C[l])
 *            + sum over s < t of R[s] dt[s] x[s].(G B[s]) + S <H, G>
 * The rectangle sum adds what crosses t. The shorter route through <y, e> - dt gradDt and a reverse cumulative
 * sum subtracts numbers that nearly cancel.
 */
import { chunkScores, passState } from './chunked.js';
import { type SegmentDecays, segmentDecays } from './segment-decays.js';
import type { SsdHead } from './ssd-data.js';

/** Gradients of one head. */
export interface SsdHeadGradients {
  /** (L, P) */
  readonly x: Float64Array;
  /** Of dt where it multiplies x B^T, without the part through a = dt A, (L). */
  readonly dt: Float64Array;
  /** Of the log decays a, (L). */
  readonly a: Float64Array;
  /** (L, N) */
  readonly B: Float64Array;
  /** (L, N) */
  readonly C: Float64Array;
  /** Of the initial state, (P, N). */
  readonly initial: Float64Array;
}

/** Gradients of sum(gradY y) + sum(gradState lastState); gradY (L, P), gradState (P, N). */
export function chunkedHeadBackward(
  head: SsdHead,
  chunkSize: number,
  gradY: Float64Array,
  gradState: Float64Array,
): SsdHeadGradients {
  const gradients: SsdHeadGradients = {
    x: new Float64Array(head.x.length),
    dt: new Float64Array(head.steps),
    a: new Float64Array(head.steps),
    B: new Float64Array(head.B.length),
    C: new Float64Array(head.C.length),
    initial: gradState.slice(),
  };
  const chunks = chunksBefore(head, chunkSize);
  for (let c = chunks.length - 1; c >= 0; c--) {
    const chunk = chunks[c] as Chunk;
    withinChunk(head, chunk, gradY, gradients);
    acrossChunk(head, chunk, gradY, gradients);
  }
  return gradients;
}

/** A chunk with the state before it. */
interface Chunk {
  readonly first: number;
  readonly length: number;
  readonly decays: SegmentDecays;
  /** (P, N) */
  readonly before: Float64Array;
}

/** All chunks, their states recomputed. */
function chunksBefore(head: SsdHead, chunkSize: number): Chunk[] {
  const chunks: Chunk[] = [];
  const state = head.initial.slice();
  for (let first = 0; first < head.steps; first += chunkSize) {
    const length = Math.min(chunkSize, head.steps - first);
    const decays = segmentDecays(head.a, first, length);
    chunks.push({ first, length, decays, before: state.slice() });
    passState(head, first, length, decays, state);
  }
  return chunks;
}

/** What pairs of steps of one chunk give: the sums over l and s above, and their rectangle sums. */
function withinChunk(
  head: SsdHead,
  { first, length, decays }: Chunk,
  gradY: Float64Array,
  gradients: SsdHeadGradients,
): void {
  const { headDim, dState, x, dt, B, C } = head;
  const scores = chunkScores(head, first, length);
  for (let l = 0; l < length; l++) {
    const rowE = (first + l) * headDim;
    const rowC = (first + l) * dState;
    // Sum of W[l, s] over s < t, while t runs up to l: what row l gives to the rectangle of t.
    let crossing = 0;
    for (let s = 0; s <= l; s++) {
      gradients.a[first + s] = (gradients.a[first + s] as number) + crossing;
      const pair = l * length + s;
      const score = scores[pair] as number;
      const decay = decays.between[pair] as number;
      const step = dt[first + s] as number;
      const rowX = (first + s) * headDim;
      const rowB = (first + s) * dState;
      let inner = 0;
      for (let p = 0; p < headDim; p++) inner += (gradY[rowE + p] as number) * (x[rowX + p] as number);
      const reach = score * decay;
      for (let p = 0; p < headDim; p++) {
        const q = reach * (gradY[rowE + p] as number);
        gradients.x[rowX + p] = (gradients.x[rowX + p] as number) + step * q;
      }
      gradients.dt[first + s] = (gradients.dt[first + s] as number) + reach * inner;
      const v = decay * step * inner;
      for (let n = 0; n < dState; n++) {
        gradients.C[rowC + n] = (gradients.C[rowC + n] as number) + v * (B[rowB + n] as number);
        gradients.B[rowB + n] = (gradients.B[rowB + n] as number) + v * (C[rowC + n] as number);
      }
      crossing += v * score;
    }
  }
}

/** What the states before and after one chunk give; `gradients.initial` goes from after to before. */
function acrossChunk(
  head: SsdHead,
  { first, length, decays, before }: Chunk,
  gradY: Float64Array,
  gradients: SsdHeadGradients,
): void {
  const { headDim, dState } = head;
  const after = gradients.initial;
  let passed = 0;
  for (let i = 0; i < before.length; i++) passed += (before[i] as number) * (after[i] as number);
  passed *= decays.whole;
  const fromInputs = new Float64Array(length);
  for (let s = 0; s < length; s++) {
    fromInputs[s] = inputToState(head, first + s, decays.toEnd[s] as number, after, gradients);
  }
  const toOutputs = new Float64Array(length);
  for (let i = 0; i < after.length; i++) after[i] = decays.whole * (after[i] as number);
  for (let l = 0; l < length; l++) {
    const row = gradY.subarray((first + l) * headDim, (first + l + 1) * headDim);
    const rowC = (first + l) * dState;
    toOutputs[l] = stateToOutput(head, rowC, decays.fromStart[l] as number, row, before, gradients);
  }
  // Reverse sum of what leaves the state at l >= t, forward sum of what entered it at s < t.
  let leaving = 0;
  for (let t = length - 1; t >= 0; t--) {
    leaving += toOutputs[t] as number;
    gradients.a[first + t] = (gradients.a[first + t] as number) + leaving + passed;
  }
  let entered = 0;
  for (let t = 0; t < length; t++) {
    gradients.a[first + t] = (gradients.a[first + t] as number) + entered;
    entered += fromInputs[t] as number;
  }
}

/** Input `s` to the state after its chunk, decay R; returns R dt x.(G B). */
function inputToState(
  { headDim, dState, x, dt, B }: SsdHead,
  s: number,
  toEnd: number,
  after: Float64Array,
  gradients: SsdHeadGradients,
): number {
  const step = dt[s] as number;
  let sum = 0;
  for (let p = 0; p < headDim; p++) {
    const input = x[s * headDim + p] as number;
    let alongB = 0;
    for (let n = 0; n < dState; n++) {
      const g = after[p * dState + n] as number;
      alongB += g * (B[s * dState + n] as number);
      const at = s * dState + n;
      gradients.B[at] = (gradients.B[at] as number) + toEnd * step * input * g;
    }
    const q = toEnd * alongB;
    gradients.x[s * headDim + p] = (gradients.x[s * headDim + p] as number) + step * q;
    sum += input * q;
  }
  gradients.dt[s] = (gradients.dt[s] as number) + sum;
  return step * sum;
}

/** State before the chunk to the output of one step, decay O; adds to its gradient; returns O e.(H C). */
function stateToOutput(
  { headDim, dState, C }: SsdHead,
  rowC: number,
  fromStart: number,
  e: Float64Array,
  before: Float64Array,
  gradients: SsdHeadGradients,
): number {
  let sum = 0;
  for (let p = 0; p < headDim; p++) {
    const scaled = fromStart * (e[p] as number);
    for (let n = 0; n < dState; n++) {
      const at = p * dState + n;
      const c = C[rowC + n] as number;
      const h = before[at] as number;
      sum += scaled * h * c;
      gradients.C[rowC + n] = (gradients.C[rowC + n] as number) + scaled * h;
      gradients.initial[at] = (gradients.initial[at] as number) + scaled * c;
    }
  }
  return sum;
}
