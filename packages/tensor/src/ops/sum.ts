/**
 * Sums and means over axes; gradX = gradOut repeated along them (divided by their count for the mean).
 * x (...); out without `axes`, or with size 1 there when `keepDims`.
 */
import { elementCount } from '@statespace/ssd-core';
import { record } from '../autograd/graph.js';
import { broadcastStrides, normalizeAxes, reducedShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { affine } from './affine.js';
import { checkFloat } from './arguments.js';
import { clone } from './copy.js';
import { allocate, shaped } from './layout.js';

/** Sum over `axes`, or over all elements. */
export function sum(x: Tensor, axes?: number | Shape, keepDims = false): Tensor {
  return reduce('sum', x, axes, keepDims);
}

/** Mean over `axes`, or over all elements. */
export function mean(x: Tensor, axes?: number | Shape, keepDims = false): Tensor {
  return reduce('mean', x, axes, keepDims);
}

function reduce(
  op: 'sum' | 'mean',
  x: Tensor,
  axesWanted: number | Shape | undefined,
  keepDims: boolean,
): Tensor {
  checkFloat(op, 'x', x);
  const axes = normalizeAxes(op, axesWanted, x.rank);
  if (axes.length === 0) return clone(x);
  const { shape } = x;
  const out = allocate(x.kernels, x.dtype, reducedShape(shape, axes, keepDims));
  const kept = reducedShape(shape, axes, true);
  x.kernels.reduce({ op, x, axes, out: shaped(out, kept) });
  const count = op === 'mean' ? elementCount(axes.map((axis) => shape[axis] as number)) : 1;
  record(op, [out], [x], [], ({ grad }) => {
    const part = count === 1 ? grad : affine(grad, 1 / count, 0);
    return [repeated(part, kept, shape)];
  });
  return out;
}

/** `grad`, seen with size 1 along the reduced axes, as a view that repeats along them. */
export function repeated(grad: Tensor, kept: Shape, shape: Shape): Tensor {
  const wide = grad.reshape(kept);
  return wide.view(shape, broadcastStrides('sum', kept, wide.strides, shape), wide.offset);
}
