/** out = alpha x + beta with plain numbers; gradX = alpha gradOut. x, out (...). */
import { record } from '../autograd/graph.js';
import type { Tensor } from '../tensor.js';
import { checkFloat } from './arguments.js';
import { allocateLike } from './layout.js';

/** alpha x + beta. `op` is the name under which errors and the graph know it. */
export function affine(x: Tensor, alpha: number, beta: number, op = 'affine'): Tensor {
  checkFloat(op, 'x', x);
  const out = allocateLike(x);
  x.kernels.affine({ x, alpha, beta, out });
  record(op, [out], [x], [], ({ grad }) => [alpha === 1 ? grad : affine(grad, alpha, 0)]);
  return out;
}
