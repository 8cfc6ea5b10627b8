/** Arbitrary views for property tests. */
import fc from 'fast-check';
import { allocateHostArray, type DType } from '../dtype.js';
import { contiguousStrides, elementCount, type TensorLike } from '../tensor-like.js';

export interface ViewBounds {
  readonly minRank?: number;
  readonly maxRank?: number;
}

/**
 * Tensors of one of `dtypes` with small sizes, 0 among them: axes in any order in memory, the first perhaps backwards, behind
 * an offset. Entries are whole numbers that every format holds, as bit patterns finite ones.
 */
export function anyView(
  dtypes: readonly DType[],
  { minRank = 0, maxRank = 3 }: ViewBounds = {},
): fc.Arbitrary<TensorLike> {
  return fc
    .record({
      dtype: fc.constantFrom(...dtypes),
      sizes: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: minRank, maxLength: maxRank }),
      offset: fc.integer({ min: 0, max: 3 }),
      order: fc.array(fc.nat(), { minLength: maxRank + 1, maxLength: maxRank + 1 }),
      backwards: fc.boolean(),
    })
    .map(({ dtype, sizes, offset, order, backwards }) => {
      const shape = dtype === 'c64' || dtype === 'c128' ? [...sizes, 2] : sizes;
      const axes = shape.map((_, axis) => axis).sort((a, b) => (order[a] as number) - (order[b] as number));
      const packed = contiguousStrides(axes.map((axis) => shape[axis] as number));
      const strides = shape.map((_, axis) => packed[axes.indexOf(axis)] as number);
      let start = offset;
      const [first = 0] = shape;
      if (backwards && first > 0) {
        start += (strides[0] as number) * (first - 1);
        strides[0] = -(strides[0] as number);
      }
      const data = allocateHostArray(dtype, elementCount(shape) + offset);
      for (let i = 0; i < data.length; i++) data[i] = (7 * i + 3) % 251;
      return { dtype, shape, strides, offset: start, data };
    });
}

/** `array` after its memory went elsewhere. */
export function detached<A extends ArrayBufferView>(array: A): A {
  structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
  return array;
}
