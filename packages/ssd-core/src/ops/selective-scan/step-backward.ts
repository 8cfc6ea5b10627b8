/** One step of one channel, backwards: the sums over n that the file `selective-scan-backward.ts` writes down. */
import type { ScanData } from './scan-data.js';

/** Where a step stands, and its scalars. One object is reused along a channel. */
export interface StepPlace {
  fromA: number;
  fromB: number;
  fromC: number;
  /** Index in the history of the state before the step; the state after it follows. */
  before: number;
  delta: number;
  u: number;
  gradY: number;
}

/** Gradients of A, B and C, added to. */
export interface ProjectionGradients {
  readonly A: Float64Array;
  readonly B: Float64Array;
  readonly C: Float64Array;
}

/** What a step gives to the gradients of u and delta. */
export interface StepSums {
  /** Re <g, B*> */
  readonly alongB: number;
  /** Re <g, A* p*> */
  readonly alongA: number;
}

/** Adds `value` to `target[i]`. */
function add(target: Float64Array, i: number, value: number): void {
  target[i] = (target[i] as number) + value;
}

/** A real step: R goes from the gradient after the step to the one before it. */
export function realStepBackward(
  { A, B, C }: ScanData,
  history: Float64Array,
  place: StepPlace,
  R: Float64Array,
  gradients: ProjectionGradients,
): StepSums {
  const { fromA, fromB, fromC, before, delta, u, gradY } = place;
  const size = R.length;
  const drive = delta * u;
  let alongB = 0;
  let alongA = 0;
  for (let n = 0; n < size; n++) {
    const a = A[fromA + n] as number;
    const decay = Math.exp(delta * a);
    const p = decay * (history[before + n] as number);
    const g = gradY * (C[fromC + n] as number) + (R[n] as number);
    alongB += g * (B[fromB + n] as number);
    alongA += g * a * p;
    add(gradients.A, fromA + n, delta * g * p);
    add(gradients.B, fromB + n, drive * g);
    add(gradients.C, fromC + n, gradY * (history[before + size + n] as number));
    R[n] = decay * g;
  }
  return { alongB, alongA };
}

/** A complex step, (re, im) interleaved. */
export function complexStepBackward(
  { A, B, C }: ScanData,
  history: Float64Array,
  place: StepPlace,
  R: Float64Array,
  gradients: ProjectionGradients,
): StepSums {
  const { fromA, fromB, fromC, before, delta, u, gradY } = place;
  const size = R.length;
  const drive = delta * u;
  let alongB = 0;
  let alongA = 0;
  for (let n = 0; n < size; n += 2) {
    const aRe = A[fromA + n] as number;
    const aIm = A[fromA + n + 1] as number;
    const radius = Math.exp(delta * aRe);
    const decayRe = radius * Math.cos(delta * aIm);
    const decayIm = radius * Math.sin(delta * aIm);
    const hRe = history[before + n] as number;
    const hIm = history[before + n + 1] as number;
    const pRe = decayRe * hRe - decayIm * hIm;
    const pIm = decayRe * hIm + decayIm * hRe;
    // g = 2 gradY C* + R
    const gRe = 2 * gradY * (C[fromC + n] as number) + (R[n] as number);
    const gIm = -2 * gradY * (C[fromC + n + 1] as number) + (R[n + 1] as number);
    alongB += gRe * (B[fromB + n] as number) + gIm * (B[fromB + n + 1] as number);
    // g p*, whose real part along A* is Re(g A* p*)
    const gpRe = gRe * pRe + gIm * pIm;
    const gpIm = gIm * pRe - gRe * pIm;
    alongA += gpRe * aRe + gpIm * aIm;
    add(gradients.A, fromA + n, delta * gpRe);
    add(gradients.A, fromA + n + 1, delta * gpIm);
    add(gradients.B, fromB + n, drive * gRe);
    add(gradients.B, fromB + n + 1, drive * gIm);
    add(gradients.C, fromC + n, 2 * gradY * (history[before + size + n] as number));
    add(gradients.C, fromC + n + 1, -2 * gradY * (history[before + size + n + 1] as number));
    // R = exp(delta A)* g
    R[n] = decayRe * gRe + decayIm * gIm;
    R[n + 1] = decayRe * gIm - decayIm * gRe;
  }
  return { alongB, alongA };
}
