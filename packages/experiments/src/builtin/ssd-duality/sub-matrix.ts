/** Blocks of a matrix. */
import type { Matrix } from '@statespace/ssd-core/structure';

/** A copy of M[top:bottom, left:right]. */
export function subMatrix(
  { cols, data }: Matrix,
  top: number,
  bottom: number,
  left: number,
  right: number,
): Matrix {
  const width = right - left;
  const block = new Float64Array((bottom - top) * width);
  for (let t = top; t < bottom; t++) {
    block.set(data.subarray(t * cols + left, t * cols + right), (t - top) * width);
  }
  return { rows: bottom - top, cols: width, data: block };
}
