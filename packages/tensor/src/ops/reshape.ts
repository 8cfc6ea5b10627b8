/** The same elements under another shape: a view where strides allow it, else a copy. gradX = gradOut reshaped. */
import { ArgumentError, formatShape } from '@statespace/ssd-core';
import { checkUsable, record } from '../autograd/graph.js';
import { inferShape, normalizeAxis, type Shape, sameShape, viewStrides } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { contiguousCopy } from './layout.js';

/** `x` as `shape`, one -1 allowed. @throws {ShapeError} when the number of elements differs. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  checkUsable('reshape', 'x', x);
  const target = inferShape('reshape', shape, x.size);
  if (sameShape(target, x.shape)) return x;
  const { shape: from } = x;
  const strides = viewStrides(from, x.strides, target);
  let out: Tensor;
  if (strides !== undefined) out = x.view(target, strides);
  else {
    const copy = contiguousCopy(x);
    out = copy.view(target);
    copy.dispose();
  }
  record('reshape', [out], [x], [], ({ grad }) => [reshape(grad, from)]);
  return out;
}

/** Axes `start` to `end`, both included, as one. */
export function flatten(x: Tensor, start = 0, end = -1): Tensor {
  const first = normalizeAxis('flatten', 'start', start, x.rank);
  const last = normalizeAxis('flatten', 'end', end, x.rank);
  const middle = x.shape.slice(first, last + 1).reduce((product, size) => product * size, 1);
  return reshape(x, [...x.shape.slice(0, first), middle, ...x.shape.slice(last + 1)]);
}

/** `x` without `axis`. @throws {ArgumentError} when its size is not 1. */
export function squeeze(x: Tensor, axis: number): Tensor {
  const normal = normalizeAxis('squeeze', 'axis', axis, x.rank);
  if (x.shape[normal] !== 1) {
    throw new ArgumentError({
      op: 'squeeze',
      argument: 'axis',
      wanted: 'an axis of size 1',
      got: `axis ${axis} of ${formatShape(x.shape)}`,
    });
  }
  return reshape(x, x.shape.toSpliced(normal, 1));
}

/** `x` with an axis of size 1 put in before `axis`. */
export function unsqueeze(x: Tensor, axis: number): Tensor {
  const normal = normalizeAxis('unsqueeze', 'axis', axis, x.rank + 1);
  return reshape(x, x.shape.toSpliced(normal, 0, 1));
}
