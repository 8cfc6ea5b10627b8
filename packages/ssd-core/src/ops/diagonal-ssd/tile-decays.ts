/**
 * Decays of the chunked form, for each state n, and the tiles that a chunk is cut into.
 *
 * A score between two steps needs exp(a[s+1,n] + ... + a[l,n]) inside a sum over n, so it is no product of two
 * factors as it stands. With a reference step r, s <= r <= l, it is exp(a[s+1] + ... + a[r]) exp(a[r+1] + ... + a[l]):
 * one factor goes to B, the other to C, both exponents are sums of numbers <= 0, and the scores of a whole tile are one
 * matrix product that cannot overflow. One reference for a whole chunk would leave exponents > 0 on one side.
 */
import type { DiagonalHead } from './diagonal-head.js';

/** Steps of a tile: pairs inside one tile are summed directly, so a tile is short. */
const tileSteps = 8;

/** Consecutive steps. */
export interface Steps {
  readonly first: number;
  readonly length: number;
}

/** Cuts steps into tiles, the last one shorter. */
export function tilesOf({ first, length }: Steps): Steps[] {
  const tiles: Steps[] = [];
  for (let at = 0; at < length; at += tileSteps) {
    tiles.push({ first: first + at, length: Math.min(tileSteps, length - at) });
  }
  return tiles;
}

/** Cuts a sequence into chunks of `chunkSize` steps, the last one shorter. */
export function chunksOf(steps: number, chunkSize: number): Steps[] {
  const chunks: Steps[] = [];
  for (let first = 0; first < steps; first += chunkSize) {
    chunks.push({ first, length: Math.min(chunkSize, steps - first) });
  }
  return chunks;
}

/** exp(a[reference + 1] + ... + a[l]) for each l of `steps`, none of them before `reference`: (length, N). */
export function decaysAfter({ dState, a }: DiagonalHead, reference: number, steps: Steps): Float64Array {
  const { first, length } = steps;
  const decays = new Float64Array(length * dState);
  for (let n = 0; n < dState; n++) {
    let sum = 0;
    for (let l = reference + 1; l < first + length; l++) {
      sum += a[l * dState + n] as number;
      if (l >= first) decays[(l - first) * dState + n] = Math.exp(sum);
    }
  }
  return decays;
}

/** exp(a[s + 1] + ... + a[reference]) for each s of `steps`, none of them behind `reference`: (length, N). */
export function decaysBefore({ dState, a }: DiagonalHead, reference: number, steps: Steps): Float64Array {
  const { first, length } = steps;
  const decays = new Float64Array(length * dState);
  for (let n = 0; n < dState; n++) {
    let sum = 0;
    for (let s = reference; s >= first; s--) {
      if (s < first + length) decays[(s - first) * dState + n] = Math.exp(sum);
      sum += a[s * dState + n] as number;
    }
  }
  return decays;
}

/** Rows of B or C, (L, N), of `steps`, each entry times its decay: (length, N). */
export function decayedRows(
  rows: Float64Array,
  decays: Float64Array,
  { first }: Steps,
  dState: number,
): Float64Array {
  return decays.map((decay, i) => decay * (rows[first * dState + i] as number));
}

/** The last of consecutive steps. */
export function lastOf({ first, length }: Steps): number {
  return first + length - 1;
}
