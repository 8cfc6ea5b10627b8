/** One head of one sequence of the diagonal SSD scan: all that its mathematics needs, contiguous. */
import type { SequenceSpan } from '../sequences.js';
import { cutHead, type SsdData, type SsdHead } from '../ssd-chunk-scan/ssd-data.js';

export interface DiagonalHead extends SsdHead {
  /** Log decays a[t,n] = dt[t] A[n], (L, N). */
  readonly a: Float64Array;
}

/** Cuts head `h` of `span` out of the batch; `data.A` is (H, N). */
export function cutDiagonalHead(data: SsdData, span: SequenceSpan, h: number): DiagonalHead {
  const head = cutHead(data, span, h);
  const { steps, dState, dt } = head;
  const a = new Float64Array(steps * dState);
  for (let t = 0; t < steps; t++) {
    for (let n = 0; n < dState; n++) {
      a[t * dState + n] = (dt[t] as number) * (data.A[h * dState + n] as number);
    }
  }
  return { ...head, a };
}
