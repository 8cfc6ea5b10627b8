/** Index of the largest element along the last axis. x (..., N), out i32 (...). No gradient. */
import type { Tensor } from '../tensor.js';
import { checkFloat } from './arguments.js';
import { allocate, dense, drop } from './layout.js';

/** Index of the largest element along the last axis; ties go to the lower index. */
export function argmax(x: Tensor): Tensor {
  checkFloat('argmax', 'x', x);
  const rows = dense(x);
  const out = allocate(x.kernels, 'i32', x.shape.slice(0, -1));
  x.kernels.argmax({ x: rows, out });
  drop(rows, x);
  return out;
}
