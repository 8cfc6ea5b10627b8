/** Views with the axes in another order. gradX = gradOut with the order undone. */
import { formatShape, ShapeError } from '@statespace/ssd-core';
import { record } from '../autograd/graph.js';
import { normalizeAxis, type Shape } from '../shape.js';
import type { Tensor } from '../tensor.js';

/** Axis i of the result is axis `axes[i]` of `x`. @throws {ShapeError} unless each axis stands there once. */
export function permute(x: Tensor, axes: Shape): Tensor {
  const order = axes.map((axis) => normalizeAxis('permute', 'axes', axis, x.rank));
  if (order.length !== x.rank || new Set(order).size !== x.rank) {
    throw new ShapeError({
      op: 'permute',
      argument: 'axes',
      wanted: `each of ${x.rank} axes once`,
      got: formatShape(axes),
    });
  }
  const out = x.view(
    order.map((axis) => x.shape[axis] as number),
    order.map((axis) => x.strides[axis] as number),
  );
  const undone = order.map((_, axis) => order.indexOf(axis));
  record('permute', [out], [x], [], ({ grad }) => [permute(grad, undone)]);
  return out;
}

/** `x` with axes `a` and `b` exchanged. */
export function transpose(x: Tensor, a: number, b: number): Tensor {
  const first = normalizeAxis('transpose', 'a', a, x.rank);
  const second = normalizeAxis('transpose', 'b', b, x.rank);
  const order = x.shape.map((_, axis) => axis);
  order[first] = second;
  order[second] = first;
  return permute(x, order);
}
