/** NumPy broadcasting of shapes and views. */
import { ShapeError } from './errors.js';
import { contiguousStrides, formatShape, type TensorLike } from './tensor-like.js';

/** Common shape of two operands: axes align at the end, and a size of 1 stretches. @throws {ShapeError} */
export function broadcastShapes(op: string, a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const sizeA = a[axis - rank + a.length] ?? 1;
    const sizeB = b[axis - rank + b.length] ?? 1;
    if (sizeA !== sizeB && sizeA !== 1 && sizeB !== 1) {
      throw new ShapeError({
        op,
        argument: 'b',
        wanted: `a shape that broadcasts with ${formatShape(a)}`,
        got: formatShape(b),
      });
    }
    return sizeA === 1 ? sizeB : sizeA;
  });
}

/** `tensor` seen with `shape`: stretched axes get stride 0. @throws {ShapeError} */
export function broadcastView(
  op: string,
  argument: string,
  tensor: TensorLike,
  shape: readonly number[],
): TensorLike {
  const own = tensor.strides ?? contiguousStrides(tensor.shape);
  const lead = shape.length - tensor.shape.length;
  const strides = shape.map((size, axis) => {
    const ownSize = tensor.shape[axis - lead] ?? 1;
    if (ownSize === size) return own[axis - lead] ?? 0;
    if (ownSize === 1) return 0;
    throw misfit(op, argument, tensor, shape);
  });
  if (lead < 0) throw misfit(op, argument, tensor, shape);
  return { ...tensor, shape, strides };
}

function misfit(op: string, argument: string, tensor: TensorLike, shape: readonly number[]): ShapeError {
  return new ShapeError({
    op,
    argument,
    wanted: `a shape that broadcasts to ${formatShape(shape)}`,
    got: formatShape(tensor.shape),
  });
}
