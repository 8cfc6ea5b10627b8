/** Row-major copies. x, out (...); gradX = gradOut. */
import { checkUsable, record } from '../autograd/graph.js';
import type { Tensor } from '../tensor.js';
import { contiguousCopy } from './layout.js';

/** A row-major copy. */
export function clone(x: Tensor): Tensor {
  checkUsable('clone', 'x', x);
  const out = contiguousCopy(x);
  record('clone', [out], [x], [], ({ grad }) => [grad]);
  return out;
}

/** `x` itself if it is row-major, otherwise a copy. */
export function contiguous(x: Tensor): Tensor {
  checkUsable('contiguous', 'x', x);
  return x.isContiguous ? x : clone(x);
}
