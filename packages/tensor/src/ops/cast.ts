/** Change of number format. x, out (...); gradX = gradOut in x's format. Integers have none. */
import type { DType } from '@statespace/ssd-core';
import { checkUsable, record } from '../autograd/graph.js';
import type { Tensor } from '../tensor.js';
import { allocate } from './layout.js';

/** The numbers of `x` as `dtype`, rounded once; `x` itself if it has that format. */
export function cast(x: Tensor, dtype: DType): Tensor {
  checkUsable('cast', 'x', x);
  if (x.dtype === dtype) return x;
  const out = allocate(x.kernels, dtype, x.shape);
  if (x.size > 0) x.kernels.copy({ x, out });
  if (dtype !== 'i32' && dtype !== 'u8') {
    const from = x.dtype;
    record('cast', [out], [x], [], ({ grad }) => [cast(grad, from)]);
  }
  return out;
}
