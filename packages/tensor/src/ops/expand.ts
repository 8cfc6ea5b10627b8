/** Views in which axes repeat. x (...), out `shape`; gradX = gradOut summed over the repeated axes. */
import { checkUsable, record } from '../autograd/graph.js';
import { broadcastStrides, checkShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { sumTo } from './broadcast.js';

/** `x` repeated to `shape` along axes of size 1 and new leading axes. @throws {ShapeError} */
export function expand(x: Tensor, shape: Shape): Tensor {
  checkUsable('expand', 'x', x);
  checkShape('expand', shape);
  const { shape: from } = x;
  const out = x.view(shape, broadcastStrides('expand', from, x.strides, shape));
  record('expand', [out], [x], [], ({ grad }) => [sumTo(grad, from)]);
  return out;
}
