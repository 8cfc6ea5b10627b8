/**
 * Largest element over axes. x (...); out without `axes`, or with size 1 there when `keepDims`.
 * Equal largest elements share the gradient evenly: gradX = gradOut [x = max] / count([x = max]).
 */
import { record } from '../autograd/graph.js';
import { normalizeAxes, reducedShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { affine } from './affine.js';
import { checkFloat } from './arguments.js';
import { gradWhereLarger } from './arithmetic.js';
import { clone } from './copy.js';
import { allocate, allocateLike, shaped } from './layout.js';
import { repeated, sum } from './sum.js';

/** Largest element along `axes`, or of all. NaN where there is one. */
export function max(x: Tensor, axesWanted?: number | Shape, keepDims = false): Tensor {
  checkFloat('max', 'x', x);
  const axes = normalizeAxes('max', axesWanted, x.rank);
  if (axes.length === 0) return clone(x);
  const { shape } = x;
  const out = allocate(x.kernels, x.dtype, reducedShape(shape, axes, keepDims));
  const kept = reducedShape(shape, axes, true);
  x.kernels.reduce({ op: 'max', x, axes, out: shaped(out, kept) });
  record('max', [out], [x], [x, out], ({ grad, saved: [input, largest] }) => {
    const top = repeated(largest, kept, shape);
    const one = allocateLike(input);
    one.kernels.fill({ out: one, value: 1 });
    const chosen = affine(gradWhereLarger(one, top, input), -1, 1);
    const share = grad.reshape(kept).div(sum(chosen, axes, true));
    return [chosen.mul(share)];
  });
  return out;
}
