/** Numbers between host and tensors. */
import {
  allocateHostArray,
  DTypeError,
  expectShape,
  ShapeError,
  type TypedArray,
} from '@statespace/ssd-core';
import { checkUsable } from './autograd/graph.js';
import { allocate, contiguousCopy } from './ops/layout.js';
import { Tensor } from './tensor.js';

/** A row-major host copy of the elements of `x`. */
export function toHost(x: Tensor): TypedArray {
  checkUsable('toArray', 'tensor', x);
  if (x.size === 0) return allocateHostArray(x.dtype, 0);
  if (x.isContiguous) return x.kernels.download(x.data, x.offset, x.size);
  const copy = contiguousCopy(x);
  const numbers = copy.kernels.download(copy.data, 0, copy.size);
  copy.dispose();
  return numbers;
}

/** target = source, in place; formats are converted between tensors, not from bare arrays. */
export function overwrite(target: Tensor, source: Tensor | TypedArray): void {
  const op = 'copyFrom';
  checkUsable(op, 'target', target);
  if (source instanceof Tensor) {
    checkUsable(op, 'source', source);
    expectShape(op, 'source', source, target.shape);
    if (source.kernels === target.kernels) target.kernels.copy({ x: source, out: target });
    else {
      const there = uploaded(target, toHost(source), source.dtype);
      target.kernels.copy({ x: there, out: target });
      there.dispose();
    }
  } else {
    checkArray(op, target, source);
    if (target.isContiguous) target.kernels.upload(target.data, source, target.offset);
    else {
      const there = uploaded(target, source, target.dtype);
      target.kernels.copy({ x: there, out: target });
      there.dispose();
    }
  }
  target.storage.version += 1;
}

/** Every element = value, in place. */
export function fill(target: Tensor, value: number): void {
  checkUsable('fill', 'target', target);
  target.kernels.fill({ out: target, value });
  target.storage.version += 1;
}

function uploaded(target: Tensor, numbers: TypedArray, dtype: Tensor['dtype']): Tensor {
  const there = allocate(target.kernels, dtype, target.shape);
  there.kernels.upload(there.data, numbers);
  return there;
}

function checkArray(op: string, target: Tensor, source: TypedArray): void {
  const sample = allocateHostArray(target.dtype, 0);
  if (source.constructor !== sample.constructor) {
    throw new DTypeError({
      op,
      argument: 'source',
      wanted: `a ${sample.constructor.name} for ${target.dtype}`,
      got: `a ${source.constructor.name}`,
    });
  }
  if (source.length !== target.size) {
    throw new ShapeError({
      op,
      argument: 'source',
      wanted: `${target.size} numbers`,
      got: String(source.length),
    });
  }
}
