/**
 * Diagonal SSD, masked-attention form of one head: a sum of N heads with 1-semiseparable masks,
 *   M[l,s] = sum over n of C[l,n] L^n[l,s] B[s,n] dt[s],   L^n[l,s] = exp(a[s+1,n] + ... + a[l,n]) for s <= l, else 0,
 *   y[l] = sum over s of M[l,s] x[s] + sum over n of exp(a[1,n] + ... + a[l,n]) C[l,n] H[0,.,n].
 * Quadratic in the sequence length, no recurrence over it. Each mask grows row by row, L^n[l,s] from a sum over the
 * segment: quotients of cumulative products would be 0/0 after a strong decay.
 * Source: Hu et al. 2025, arXiv:2510.04944, section 4.1.
 */
import type { SsdHeadResult } from '../ssd-chunk-scan/ssd-data.js';
import type { DiagonalHead } from './diagonal-head.js';

/** Runs one head as one masked matrix product per state. */
export function maskedAttentionDiagonalHead(head: DiagonalHead): SsdHeadResult {
  const { steps, headDim, dState, x, dt, B, C, initial } = head;
  const y = new Float64Array(steps * headDim);
  const state = new Float64Array(headDim * dState);
  for (let n = 0; n < dState; n++) {
    for (let s = 0; s < steps; s++) {
      const mask = segmentDecays(head, n, s);
      const weight = (dt[s] as number) * (B[s * dState + n] as number);
      for (let l = s; l < steps; l++) {
        const score = (C[l * dState + n] as number) * (mask[l - s] as number) * weight;
        for (let p = 0; p < headDim; p++) {
          y[l * headDim + p] = (y[l * headDim + p] as number) + score * (x[s * headDim + p] as number);
        }
      }
      const toEnd = (mask[steps - 1 - s] as number) * weight;
      for (let p = 0; p < headDim; p++) {
        state[p * dState + n] = (state[p * dState + n] as number) + toEnd * (x[s * headDim + p] as number);
      }
    }
    // Step -1 stands for the initial state: its segment is the whole sequence up to l.
    const carried = segmentDecays(head, n, -1);
    for (let p = 0; p < headDim; p++) {
      const before = initial[p * dState + n] as number;
      for (let l = 0; l < steps; l++) {
        const score = (C[l * dState + n] as number) * (carried[l + 1] as number);
        y[l * headDim + p] = (y[l * headDim + p] as number) + score * before;
      }
      state[p * dState + n] = (state[p * dState + n] as number) + (carried[steps] as number) * before;
    }
  }
  return { y, state };
}

/** exp(a[s+1,n] + ... + a[l,n]) for l = s, s + 1, ..., L - 1; the first is 1. */
function segmentDecays({ steps, dState, a }: DiagonalHead, n: number, s: number): Float64Array {
  const decays = new Float64Array(steps - s);
  let sum = 0;
  decays[0] = 1;
  for (let l = s + 1; l < steps; l++) {
    sum += a[l * dState + n] as number;
    decays[l - s] = Math.exp(sum);
  }
  return decays;
}
