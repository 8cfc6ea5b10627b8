/** The gradient of a loss with an L2 penalty. */
import { allocateLike } from '../ops/layout.js';
import type { Tensor } from '../tensor.js';

/** gradScale grad + weightDecay param, (...); `grad` itself when there is nothing to do. */
export function regularized(
  param: Tensor,
  grad: Tensor,
  weightDecay: number,
  gradScale: Tensor | undefined,
): Tensor {
  let out = grad;
  if (gradScale !== undefined) {
    out = allocateLike(grad);
    grad.kernels.binary({ op: 'mul', a: grad, b: gradScale.cast(grad.dtype), out });
  }
  if (weightDecay === 0) return out;
  const penalty = allocateLike(param);
  param.kernels.affine({ x: param, alpha: weightDecay, beta: 0, out: penalty });
  param.kernels.accumulate({ x: out, out: penalty });
  return penalty;
}
