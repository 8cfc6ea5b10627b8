/** The same memory outside of the graph. x, out (...). No gradient. */
import type { Tensor } from '../tensor.js';

/** A view of `x` that no gradient flows through. */
export function detach(x: Tensor): Tensor {
  return x.view(x.shape, x.strides);
}
