/**
 * SSD, masked-attention (quadratic) form of one head: with the lower triangular mask
 *   M[l, s] = (C[l] . B[s]) exp(a[s+1] + ... + a[l]) dt[s]      for s <= l, else 0,
 *   y = M x + exp(a[1] + ... + a[l]) H[0] C[l].
 * Quadratic in the sequence length, no recurrence over it.
 */
import { segmentDecays } from './segment-decays.js';
import type { SsdHead, SsdHeadResult } from './ssd-data.js';

/** Runs one head as one masked matrix product. */
export function maskedAttentionHead(head: SsdHead): SsdHeadResult {
  const { steps, headDim, dState, x, dt, a, B, C, initial } = head;
  const decays = segmentDecays(a, 0, steps);
  const y = new Float64Array(steps * headDim);
  for (let l = 0; l < steps; l++) {
    for (let s = 0; s <= l; s++) {
      let score = 0;
      for (let n = 0; n < dState; n++) {
        score += (C[l * dState + n] as number) * (B[s * dState + n] as number);
      }
      const weight = score * (decays.between[l * steps + s] as number) * (dt[s] as number);
      for (let p = 0; p < headDim; p++) {
        y[l * headDim + p] = (y[l * headDim + p] as number) + weight * (x[s * headDim + p] as number);
      }
    }
    const fromStart = decays.fromStart[l] as number;
    for (let p = 0; p < headDim; p++) {
      let carried = 0;
      for (let n = 0; n < dState; n++) {
        carried += (initial[p * dState + n] as number) * (C[l * dState + n] as number);
      }
      y[l * headDim + p] = (y[l * headDim + p] as number) + fromStart * carried;
    }
  }
  return { y, state: lastState(head, decays.toEnd, decays.whole) };
}

/** H[L] = exp(sum of all a) H[0] + sum over s of exp(a[s+1] + ... + a[L]) dt[s] x[s] B[s]^T. */
function lastState(head: SsdHead, toEnd: Float64Array, whole: number): Float64Array {
  const { steps, headDim, dState, x, dt, B } = head;
  const state = head.initial.map((value) => whole * value);
  for (let s = 0; s < steps; s++) {
    const weight = (toEnd[s] as number) * (dt[s] as number);
    for (let p = 0; p < headDim; p++) {
      const drive = weight * (x[s * headDim + p] as number);
      for (let n = 0; n < dState; n++) {
        const at = p * dState + n;
        state[at] = (state[at] as number) + drive * (B[s * dState + n] as number);
      }
    }
  }
  return state;
}
