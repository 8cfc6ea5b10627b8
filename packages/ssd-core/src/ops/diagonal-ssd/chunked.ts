/**
 * Diagonal SSD, chunked form of one head. With chunks of Q steps, H the state before the chunk and, for each state n,
 * the decays E[l,s], R[s], O[l] between two steps, to the end and from the start of the chunk:
 *   1 diagonal    y[l]  = sum over s <= l of S[l,s] dt[s] x[s],   S[l,s] = sum over n of C[l,n] E[l,s,n] B[s,n]
 *   2 chunk state Z     = sum over s of dt[s] x[s] (R[s] * B[s])^T
 *   3 passing     H'    = H diag(exp(a[1] + ... + a[Q])) + Z
 *   4 carried     y[l] += H (O[l] * C[l])
 * Every line is a matrix product; `tile-decays.ts` tells how S becomes one. With one decay for all n this is chunked
 * SSD. Source: Dao & Gu 2024, arXiv:2405.21060, section 6, for the passes; the decays per state are those of
 * arXiv:2510.04944, section 4.
 */
import type { SsdHeadResult } from '../ssd-chunk-scan/ssd-data.js';
import type { DiagonalHead } from './diagonal-head.js';
import {
  chunksOf,
  decayedRows,
  decaysAfter,
  decaysBefore,
  lastOf,
  type Steps,
  tilesOf,
} from './tile-decays.js';

/** Runs one head chunk by chunk; the last chunk may be shorter. */
export function chunkedDiagonalHead(head: DiagonalHead, chunkSize: number): SsdHeadResult {
  const y = new Float64Array(head.steps * head.headDim);
  const state = head.initial.slice();
  for (const chunk of chunksOf(head.steps, chunkSize)) {
    addDiagonal(head, chunk, y);
    addCarried(head, chunk, state, y);
    passDiagonalState(head, chunk, state);
  }
  return { y, state };
}

/** S[l,s] for s <= l of a chunk, at [l Q + s]; 0 elsewhere. */
export function chunkScores(head: DiagonalHead, chunk: Steps): Float64Array {
  const scores = new Float64Array(chunk.length * chunk.length);
  const tiles = tilesOf(chunk);
  tiles.forEach((cols, j) => {
    scoresInside(head, chunk, cols, scores);
    for (const rows of tiles.slice(j + 1)) scoresAcross(head, chunk, rows, cols, scores);
  });
  return scores;
}

/** Pairs of one tile: the decay of each pair is summed as it stands. */
function scoresInside(head: DiagonalHead, chunk: Steps, tile: Steps, scores: Float64Array): void {
  const { dState, a, B, C } = head;
  const decays = new Float64Array(dState);
  for (let s = tile.first; s <= lastOf(tile); s++) {
    decays.fill(0);
    for (let l = s; l <= lastOf(tile); l++) {
      let score = 0;
      for (let n = 0; n < dState; n++) {
        if (l > s) decays[n] = (decays[n] as number) + (a[l * dState + n] as number);
        const decay = Math.exp(decays[n] as number);
        score += (C[l * dState + n] as number) * decay * (B[s * dState + n] as number);
      }
      scores[(l - chunk.first) * chunk.length + s - chunk.first] = score;
    }
  }
}

/** Pairs of two tiles, `cols` before `rows`: one product, with the last step of `cols` for reference. */
function scoresAcross(
  head: DiagonalHead,
  chunk: Steps,
  rows: Steps,
  cols: Steps,
  scores: Float64Array,
): void {
  const { dState, B, C } = head;
  const reference = lastOf(cols);
  const left = decayedRows(C, decaysAfter(head, reference, rows), rows, dState);
  const right = decayedRows(B, decaysBefore(head, reference, cols), cols, dState);
  for (let l = 0; l < rows.length; l++) {
    const to = (rows.first + l - chunk.first) * chunk.length + cols.first - chunk.first;
    for (let s = 0; s < cols.length; s++) {
      let score = 0;
      for (let n = 0; n < dState; n++) {
        score += (left[l * dState + n] as number) * (right[s * dState + n] as number);
      }
      scores[to + s] = score;
    }
  }
}

function addDiagonal(head: DiagonalHead, chunk: Steps, y: Float64Array): void {
  const { headDim, x, dt } = head;
  const { first, length } = chunk;
  const scores = chunkScores(head, chunk);
  for (let l = 0; l < length; l++) {
    for (let s = 0; s <= l; s++) {
      const weight = (scores[l * length + s] as number) * (dt[first + s] as number);
      for (let p = 0; p < headDim; p++) {
        const at = (first + l) * headDim + p;
        y[at] = (y[at] as number) + weight * (x[(first + s) * headDim + p] as number);
      }
    }
  }
}

function addCarried(head: DiagonalHead, chunk: Steps, state: Float64Array, y: Float64Array): void {
  const { headDim, dState, C } = head;
  const read = decayedRows(C, decaysAfter(head, chunk.first - 1, chunk), chunk, dState);
  for (let l = 0; l < chunk.length; l++) {
    for (let p = 0; p < headDim; p++) {
      const at = (chunk.first + l) * headDim + p;
      let carried = 0;
      for (let n = 0; n < dState; n++) {
        carried += (state[p * dState + n] as number) * (read[l * dState + n] as number);
      }
      y[at] = (y[at] as number) + carried;
    }
  }
}

/** Takes `state` from before the chunk to after it. */
export function passDiagonalState(head: DiagonalHead, chunk: Steps, state: Float64Array): void {
  const { headDim, dState, x, dt, B } = head;
  const last = lastOf(chunk);
  const whole = decaysAfter(head, chunk.first - 1, { first: last, length: 1 });
  const written = decayedRows(B, decaysBefore(head, last, chunk), chunk, dState);
  for (let i = 0; i < state.length; i++) state[i] = (whole[i % dState] as number) * (state[i] as number);
  for (let s = 0; s < chunk.length; s++) {
    for (let p = 0; p < headDim; p++) {
      const drive = (dt[chunk.first + s] as number) * (x[(chunk.first + s) * headDim + p] as number);
      for (let n = 0; n < dState; n++) {
        const at = p * dState + n;
        state[at] = (state[at] as number) + drive * (written[s * dState + n] as number);
      }
    }
  }
}
