/**
 * Views of a range, or of one index, of an axis. gradX is zero outside of the range; the gradients of several
 * slices of one tensor gather in one buffer.
 */
import { ArgumentError } from '@statespace/ssd-core';
import { checkUsable, record } from '../autograd/graph.js';
import { zerosLike } from '../create.js';
import { normalizeAxis, normalizeRange, type Shape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { allocateLike, type Like } from './layout.js';
import { reshape } from './reshape.js';

/** [start, end) along `axis`; negative bounds count from the back, `end` defaults to the axis' size. */
export function slice(x: Tensor, axis: number, start: number, end?: number): Tensor {
  checkUsable('slice', 'x', x);
  const normal = normalizeAxis('slice', 'axis', axis, x.rank);
  const size = x.shape[normal] as number;
  const [from, to] = normalizeRange('slice', size, start, end ?? size);
  const out = range(x, normal, from, to);
  const { kernels, dtype, shape } = x;
  record('slice', [out], [x], [], ({ grad, target }) => {
    const sofar = target(0);
    if (sofar !== undefined) {
      const part = range(sofar, normal, from, to);
      kernels.accumulate({ x: grad, out: part });
      part.dispose();
      return [sofar];
    }
    const whole = zerosLike({ kernels, dtype, shape });
    const part = range(whole, normal, from, to);
    kernels.copy({ x: grad, out: part });
    part.dispose();
    return [whole];
  });
  return out;
}

/** The view at `index` of `axis`, without that axis. @throws {ArgumentError} for an index outside. */
export function select(x: Tensor, axis: number, index: number): Tensor {
  const normal = normalizeAxis('select', 'axis', axis, x.rank);
  const size = x.shape[normal] as number;
  const at = index < 0 ? index + size : index;
  if (!Number.isInteger(at) || at < 0 || at >= size) {
    throw new ArgumentError({
      op: 'select',
      argument: 'index',
      wanted: `an index in [${-size}, ${size})`,
      got: String(index),
    });
  }
  return reshape(slice(x, normal, at, at + 1), x.shape.toSpliced(normal, 1));
}

/** The view [from, to) along `axis`, outside of the graph. */
export function range(x: Tensor, axis: number, from: number, to: number): Tensor {
  const shape: Shape = x.shape.with(axis, to - from);
  return x.view(shape, x.strides, x.offset + from * (x.strides[axis] as number));
}

/** The gradient of every part of `x` cut along `axis`, in one buffer; a part without gradient is zero. */
export function gatherParts(
  x: Like,
  axis: number,
  sizes: readonly number[],
  grads: readonly (Tensor | undefined)[],
): Tensor {
  const whole = allocateLike(x);
  let from = 0;
  sizes.forEach((size, i) => {
    const part = range(whole, axis, from, from + size);
    const grad = grads[i];
    if (size > 0) {
      if (grad === undefined) x.kernels.fill({ out: part, value: 0 });
      else x.kernels.copy({ x: grad, out: part });
    }
    part.dispose();
    from += size;
  });
  return whole;
}
