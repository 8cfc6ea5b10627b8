/** The same numbers laid out in memory as no kernel would choose: for tests of views. */
import type { TypedArray } from '../dtype.js';
import { elementCount, type TensorLike } from '../tensor-like.js';

/**
 * A view equal to the contiguous `tensor` whose memory has its axes in reverse order, gaps between all neighbours,
 * and an offset. Floats between the entries are NaN, integers 77, so that reading past a view shows.
 */
export function strided(tensor: TensorLike): TensorLike {
  const source = tensor.data as TypedArray;
  const { shape } = tensor;
  const strides = new Array<number>(shape.length);
  let step = 2;
  for (let axis = 0; axis < shape.length; axis++) {
    strides[axis] = step;
    step = step * (shape[axis] as number) + 1;
  }
  const offset = 3;
  const memory = new (source.constructor as new (length: number) => TypedArray)(offset + step + 1);
  memory.fill(source instanceof Float32Array || source instanceof Float64Array ? Number.NaN : 77);
  const count = elementCount(shape);
  for (let i = 0; i < count; i++) {
    let rest = i;
    let at = offset;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const size = shape[axis] as number;
      at += (rest % size) * (strides[axis] as number);
      rest = Math.floor(rest / size);
    }
    memory[at] = source[i] as number;
  }
  return { ...tensor, data: memory, strides, offset };
}
