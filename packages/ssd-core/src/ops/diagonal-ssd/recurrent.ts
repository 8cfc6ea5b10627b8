/**
 * Diagonal SSD, recurrent form of one head, with a decay for every state n:
 *   H[t,p,n] = exp(a[t,n]) H[t-1,p,n] + dt[t] x[t,p] B[t,n],  y[t,p] = sum over n of H[t,p,n] C[t,n].
 * Linear in the sequence length, one step after another.
 */
import type { SsdHeadResult } from '../ssd-chunk-scan/ssd-data.js';
import type { DiagonalHead } from './diagonal-head.js';

/** Runs one head step by step. */
export function recurrentDiagonalHead(head: DiagonalHead): SsdHeadResult {
  const { steps, headDim, dState, x, dt, a, B, C } = head;
  const state = head.initial.slice();
  const y = new Float64Array(steps * headDim);
  const decay = new Float64Array(dState);
  for (let t = 0; t < steps; t++) {
    for (let n = 0; n < dState; n++) decay[n] = Math.exp(a[t * dState + n] as number);
    for (let p = 0; p < headDim; p++) {
      const drive = (dt[t] as number) * (x[t * headDim + p] as number);
      let sum = 0;
      for (let n = 0; n < dState; n++) {
        const at = p * dState + n;
        const next = (decay[n] as number) * (state[at] as number) + drive * (B[t * dState + n] as number);
        state[at] = next;
        sum += next * (C[t * dState + n] as number);
      }
      y[t * headDim + p] = sum;
    }
  }
  return { y, state };
}
