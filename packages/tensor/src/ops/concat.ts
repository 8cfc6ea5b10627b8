/**
 * Tensors side by side along an axis. list_i (..., size_i, ...), out (..., sum of sizes, ...).
 * The gradient of each is the view of gradOut at its place.
 */
import { ArgumentError, formatShape, ShapeError } from '@statespace/ssd-core';
import { record } from '../autograd/graph.js';
import { normalizeAxis } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { checkFloat, checkPeer } from './arguments.js';
import { allocate } from './layout.js';
import { unsqueeze } from './reshape.js';
import { range } from './slice.js';

/** `list` joined along an axis that exists. @throws {ShapeError} when another axis differs. */
export function concat(list: readonly Tensor[], axis: number): Tensor {
  const first = firstOf('concat', list);
  const normal = normalizeAxis('concat', 'axis', axis, first.rank);
  let total = 0;
  list.forEach((item, i) => {
    checkPeer('concat', 'list[0]', first, `list[${i}]`, item);
    const same = item.rank === first.rank && item.shape.every((n, a) => a === normal || n === first.shape[a]);
    if (!same) {
      throw new ShapeError({
        op: 'concat',
        argument: `list[${i}]`,
        wanted: `${formatShape(first.shape)} but for axis ${normal}`,
        got: formatShape(item.shape),
      });
    }
    total += item.shape[normal] as number;
  });
  const out = allocate(first.kernels, first.dtype, first.shape.with(normal, total));
  const sizes = list.map((item) => item.shape[normal] as number);
  let from = 0;
  list.forEach((item, i) => {
    const size = sizes[i] as number;
    const part = range(out, normal, from, from + size);
    if (item.size > 0) out.kernels.copy({ x: item, out: part });
    part.dispose();
    from += size;
  });
  record('concat', [out], list, [], ({ grad, needs }) => {
    let start = 0;
    return sizes.map((size, i) => {
      start += size;
      return needs[i] ? range(grad, normal, start - size, start) : undefined;
    });
  });
  return out;
}

/** Tensors of one shape joined along a new axis. */
export function stack(list: readonly Tensor[], axis: number): Tensor {
  firstOf('stack', list);
  return concat(
    list.map((item) => unsqueeze(item, axis)),
    axis,
  );
}

function firstOf(op: string, list: readonly Tensor[]): Tensor {
  const first = list[0];
  if (first === undefined) {
    throw new ArgumentError({ op, argument: 'list', wanted: 'at least one tensor', got: 'none' });
  }
  checkFloat(op, 'list[0]', first);
  return first;
}
