/**
 * SSD, recurrent form of one head:  H[t] = exp(a[t]) H[t-1] + dt[t] x[t] B[t]^T,  y[t] = H[t] C[t].
 * H (P, N). Linear in the sequence length, one step after another.
 */
import type { SsdHead, SsdHeadResult } from './ssd-data.js';

/** Runs one head step by step. */
export function recurrentHead(head: SsdHead): SsdHeadResult {
  const { steps, headDim, dState, x, dt, a, B, C } = head;
  const state = head.initial.slice();
  const y = new Float64Array(steps * headDim);
  for (let t = 0; t < steps; t++) {
    const decay = Math.exp(a[t] as number);
    for (let p = 0; p < headDim; p++) {
      const drive = (dt[t] as number) * (x[t * headDim + p] as number);
      let sum = 0;
      for (let n = 0; n < dState; n++) {
        const next = decay * (state[p * dState + n] as number) + drive * (B[t * dState + n] as number);
        state[p * dState + n] = next;
        sum += next * (C[t * dState + n] as number);
      }
      y[t * headDim + p] = sum;
    }
  }
  return { y, state };
}
