/**
 * Gradients of B, C and the log decays through the scores S[l,s] = sum over n of C[l,n] E[l,s,n] B[s,n] of a chunk,
 * given M[l,s], what the loss has for S[l,s]:
 *   gradC[l,n] += sum over s of M[l,s] E[l,s,n] B[s,n]      gradB[s,n] += sum over l of M[l,s] E[l,s,n] C[l,n]
 *   gradA[t,n] += sum over l >= t > s of M[l,s] C[l,n] E[l,s,n] B[s,n]
 * Pairs of one tile are summed as they stand; pairs of two tiles through a reference step, as their scores are.
 */
import type { DiagonalHeadGradients } from './chunked-backward.js';
import type { DiagonalHead } from './diagonal-head.js';
import { decayedRows, decaysAfter, decaysBefore, lastOf, type Steps, tilesOf } from './tile-decays.js';

type PairGradients = Pick<DiagonalHeadGradients, 'a' | 'B' | 'C'>;

/** Adds the gradients through the scores of `chunk`; `pairs` is M, at [l Q + s]. */
export function addPairGradients(
  head: DiagonalHead,
  chunk: Steps,
  pairs: Float64Array,
  gradients: PairGradients,
): void {
  const tiles = tilesOf(chunk);
  const pairAt = (l: number, s: number) =>
    pairs[(l - chunk.first) * chunk.length + s - chunk.first] as number;
  tiles.forEach((cols, j) => {
    addInside(head, cols, pairAt, gradients);
    for (const rows of tiles.slice(j + 1)) addAcross(head, rows, cols, pairAt, gradients);
  });
}

type PairAt = (l: number, s: number) => number;

function addInside(head: DiagonalHead, tile: Steps, pairAt: PairAt, gradients: PairGradients): void {
  const { dState, a, B, C } = head;
  for (let n = 0; n < dState; n++) {
    for (let s = tile.first; s <= lastOf(tile); s++) {
      const b = B[s * dState + n] as number;
      let sum = 0;
      for (let l = s; l <= lastOf(tile); l++) {
        if (l > s) sum += a[l * dState + n] as number;
        const value = pairAt(l, s) * Math.exp(sum);
        const c = C[l * dState + n] as number;
        add(gradients.C, l * dState + n, value * b);
        add(gradients.B, s * dState + n, value * c);
        for (let t = s + 1; t <= l; t++) add(gradients.a, t * dState + n, value * b * c);
      }
    }
  }
}

function addAcross(
  head: DiagonalHead,
  rows: Steps,
  cols: Steps,
  pairAt: PairAt,
  gradients: PairGradients,
): void {
  const { dState, B, C } = head;
  const reference = lastOf(cols);
  const after = decaysAfter(head, reference, rows);
  const before = decaysBefore(head, reference, cols);
  const left = decayedRows(C, after, rows, dState);
  const right = decayedRows(B, before, cols, dState);
  for (let n = 0; n < dState; n++) {
    // Steps of `cols` are crossed by what comes from before them, ...
    let crossing = 0;
    for (let s = 0; s < cols.length; s++) {
      const at = s * dState + n;
      let sum = 0;
      for (let l = 0; l < rows.length; l++) {
        sum += pairAt(rows.first + l, cols.first + s) * (left[l * dState + n] as number);
      }
      add(gradients.B, cols.first * dState + at, (before[at] as number) * sum);
      add(gradients.a, cols.first * dState + at, crossing);
      crossing += (right[at] as number) * sum;
    }
    // ... steps between the tiles by all pairs, ...
    for (let t = reference + 1; t < rows.first; t++) add(gradients.a, t * dState + n, crossing);
    // ... and steps of `rows` by what goes to them or beyond.
    crossing = 0;
    for (let l = rows.length - 1; l >= 0; l--) {
      const at = l * dState + n;
      let sum = 0;
      for (let s = 0; s < cols.length; s++) {
        sum += pairAt(rows.first + l, cols.first + s) * (right[s * dState + n] as number);
      }
      add(gradients.C, rows.first * dState + at, (after[at] as number) * sum);
      crossing += (left[at] as number) * sum;
      add(gradients.a, rows.first * dState + at, crossing);
    }
  }
}

function add(target: Float64Array, at: number, value: number): void {
  target[at] = (target[at] as number) + value;
}
