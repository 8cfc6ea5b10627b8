/**
 * SSD, chunked form of one head. With chunks of Q steps, H the state before the chunk, and the decays E, R, O
 * between, to the end and from the start of the chunk:
 *   1 diagonal    y[l]  = sum over s <= l of (C[l] . B[s]) E[l,s] dt[s] x[s]
 *   2 chunk state Z     = sum over s of R[s] dt[s] x[s] B[s]^T
 *   3 passing     H'    = exp(a[1] + ... + a[Q]) H + Z
 *   4 carried     y[l] += O[l] H C[l]
 * Source: Dao & Gu 2024, "Transformers are SSMs", arXiv:2405.21060, section 6 and listing 1.
 */
import { type SegmentDecays, segmentDecays } from './segment-decays.js';
import type { SsdHead, SsdHeadResult } from './ssd-data.js';

/** Runs one head chunk by chunk; the last chunk may be shorter. */
export function chunkedHead(head: SsdHead, chunkSize: number): SsdHeadResult {
  const y = new Float64Array(head.steps * head.headDim);
  const state = head.initial.slice();
  for (let first = 0; first < head.steps; first += chunkSize) {
    const length = Math.min(chunkSize, head.steps - first);
    const decays = segmentDecays(head.a, first, length);
    addDiagonal(head, first, length, decays, y);
    addCarried(head, first, length, decays.fromStart, state, y);
    passState(head, first, length, decays, state);
  }
  return { y, state };
}

/** C[l] . B[s] for s <= l of a chunk, at [l Q + s]; 0 elsewhere. */
export function chunkScores(head: SsdHead, first: number, length: number): Float64Array {
  const { dState, B, C } = head;
  const scores = new Float64Array(length * length);
  for (let l = 0; l < length; l++) {
    const rowC = (first + l) * dState;
    for (let s = 0; s <= l; s++) {
      const rowB = (first + s) * dState;
      let score = 0;
      for (let n = 0; n < dState; n++) score += (C[rowC + n] as number) * (B[rowB + n] as number);
      scores[l * length + s] = score;
    }
  }
  return scores;
}

function addDiagonal(
  head: SsdHead,
  first: number,
  length: number,
  decays: SegmentDecays,
  y: Float64Array,
): void {
  const { headDim, x, dt } = head;
  const scores = chunkScores(head, first, length);
  for (let l = 0; l < length; l++) {
    const to = (first + l) * headDim;
    for (let s = 0; s <= l; s++) {
      const pair = l * length + s;
      const weight = (scores[pair] as number) * (decays.between[pair] as number) * (dt[first + s] as number);
      const from = (first + s) * headDim;
      for (let p = 0; p < headDim; p++) {
        y[to + p] = (y[to + p] as number) + weight * (x[from + p] as number);
      }
    }
  }
}

function addCarried(
  head: SsdHead,
  first: number,
  length: number,
  fromStart: Float64Array,
  state: Float64Array,
  y: Float64Array,
): void {
  const { headDim, dState, C } = head;
  for (let l = 0; l < length; l++) {
    const rowC = (first + l) * dState;
    for (let p = 0; p < headDim; p++) {
      let carried = 0;
      for (let n = 0; n < dState; n++) {
        carried += (state[p * dState + n] as number) * (C[rowC + n] as number);
      }
      const at = (first + l) * headDim + p;
      y[at] = (y[at] as number) + (fromStart[l] as number) * carried;
    }
  }
}

/** Takes `state` from before the chunk to after it. */
export function passState(
  head: SsdHead,
  first: number,
  length: number,
  { toEnd, whole }: SegmentDecays,
  state: Float64Array,
): void {
  const { headDim, dState, x, dt, B } = head;
  for (let i = 0; i < state.length; i++) state[i] = whole * (state[i] as number);
  for (let s = 0; s < length; s++) {
    const weight = (toEnd[s] as number) * (dt[first + s] as number);
    const rowB = (first + s) * dState;
    for (let p = 0; p < headDim; p++) {
      const drive = weight * (x[(first + s) * headDim + p] as number);
      for (let n = 0; n < dState; n++) {
        const at = p * dState + n;
        state[at] = (state[at] as number) + drive * (B[rowB + n] as number);
      }
    }
  }
}
