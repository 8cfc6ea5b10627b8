/**
 * Cuts a tensor along an axis into views that lie side by side. x (..., S, ...), parts (..., size_i, ...).
 * The gradients of the parts are written next to each other into one buffer.
 */
import { formatShape, ShapeError } from '@statespace/ssd-core';
import { checkUsable, record } from '../autograd/graph.js';
import { normalizeAxis } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { gatherParts, range } from './slice.js';

/** Views of `sizes` along `axis`. @throws {ShapeError} unless the sizes add up to the axis. */
export function split(x: Tensor, sizes: readonly number[], axis: number): Tensor[] {
  checkUsable('split', 'x', x);
  const normal = normalizeAxis('split', 'axis', axis, x.rank);
  const whole = x.shape[normal] as number;
  const valid = sizes.every((size) => Number.isInteger(size) && size >= 0);
  if (!valid || sizes.reduce((total, size) => total + size, 0) !== whole) {
    throw new ShapeError({
      op: 'split',
      argument: 'sizes',
      wanted: `sizes that add up to ${whole}`,
      got: formatShape(sizes),
    });
  }
  let from = 0;
  const parts = sizes.map((size) => {
    const part = range(x, normal, from, from + size);
    from += size;
    return part;
  });
  const { kernels, dtype, shape } = x;
  record('split', parts, [x], [], ({ grads }) => [
    gatherParts({ kernels, dtype, shape }, normal, sizes, grads),
  ]);
  return parts;
}
