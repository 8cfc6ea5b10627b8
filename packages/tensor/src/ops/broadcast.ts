/** The transpose of broadcasting: a gradient of the broadcast shape is summed back to the input's own. */
import type { Shape } from '../shape.js';
import { sameShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { allocate, shaped } from './layout.js';

/** `grad` summed over the axes along which `shape` was repeated; `grad` itself when none was. */
export function sumTo(grad: Tensor, shape: Shape): Tensor {
  if (sameShape(grad.shape, shape)) return grad;
  const lead = grad.rank - shape.length;
  const axes: number[] = [];
  for (let axis = 0; axis < grad.rank; axis++) {
    if (axis < lead || (shape[axis - lead] === 1 && grad.shape[axis] !== 1)) axes.push(axis);
  }
  const out = allocate(grad.kernels, grad.dtype, shape);
  const kept = grad.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  grad.kernels.reduce({ op: 'sum', x: grad, axes, out: shaped(out, kept) });
  return out;
}
