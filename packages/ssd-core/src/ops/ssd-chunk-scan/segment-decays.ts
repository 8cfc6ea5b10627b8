/**
 * Decays between the steps of one chunk.
 *
 * Every exponent is a sum of log decays, never the difference of two long sums, which would lose digits. Pairs
 * with s > l are never formed (select), and an exponent above 0 can only come from a positive a, a growing
 * state: kernels that subtract sums and evaluate all pairs must clamp it to 0 before exp, this one need not.
 */

/** Decays of a chunk of Q steps. */
export interface SegmentDecays {
  /** exp(a[s+1] + ... + a[l]) at [l Q + s] for s <= l; 0 elsewhere. */
  readonly between: Float64Array;
  /** exp(a[1] + ... + a[l]): from before the chunk to step l, (Q). */
  readonly fromStart: Float64Array;
  /** exp(a[s+1] + ... + a[Q]): from step s to the end of the chunk, (Q). */
  readonly toEnd: Float64Array;
  /** exp(a[1] + ... + a[Q]) */
  readonly whole: number;
}

/** Decays of the `length` steps of `a` from `first` on. */
export function segmentDecays(a: Float64Array, first: number, length: number): SegmentDecays {
  const between = new Float64Array(length * length);
  const fromStart = new Float64Array(length);
  const toEnd = new Float64Array(length);
  for (let s = 0; s < length; s++) {
    let sum = 0;
    between[s * length + s] = 1;
    for (let l = s + 1; l < length; l++) {
      sum += a[first + l] as number;
      between[l * length + s] = Math.exp(sum);
    }
    toEnd[s] = Math.exp(sum);
  }
  let sum = 0;
  for (let l = 0; l < length; l++) {
    sum += a[first + l] as number;
    fromStart[l] = Math.exp(sum);
  }
  return { between, fromStart, toEnd, whole: Math.exp(sum) };
}
