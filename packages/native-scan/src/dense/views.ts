/** What the native kernels ask of views. */
import { isDeviceBuffer, ShapeError, type TensorLike, type TypedArray } from '@statespace/ssd-core';

/** `kMaxRank` of native/include/statespace/strided.h. */
const maxRank = 8;

/** @throws {ShapeError} for more axes than a native view has. */
export function expectRankFits(op: string, argument: string, tensor: TensorLike): void {
  if (tensor.shape.length <= maxRank) return;
  throw new ShapeError({
    op,
    argument,
    wanted: `at most ${maxRank} axes on the cpu backend`,
    got: String(tensor.shape.length),
  });
}

/** Whether two tensors may have an element in common: their spans in one ArrayBuffer meet. */
export function mayShareMemory(a: TensorLike, b: TensorLike): boolean {
  const arrayA = hostArray(a);
  const arrayB = hostArray(b);
  if (arrayA === undefined || arrayB === undefined || arrayA.buffer !== arrayB.buffer) return false;
  const [startA, endA] = byteSpan(a, arrayA);
  const [startB, endB] = byteSpan(b, arrayB);
  return startA < endB && startB < endA;
}

function hostArray({ data }: TensorLike): TypedArray | undefined {
  return isDeviceBuffer(data) ? data.data : data;
}

function byteSpan({ shape, strides, offset = 0 }: TensorLike, array: TypedArray): [number, number] {
  let first = offset;
  let last = offset;
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] as number;
    if (size === 0) return [0, 0];
    const reach = (size - 1) * (strides === undefined ? step : (strides[axis] as number));
    if (reach < 0) first += reach;
    else last += reach;
    step *= size;
  }
  const bytes = array.BYTES_PER_ELEMENT;
  return [array.byteOffset + first * bytes, array.byteOffset + (last + 1) * bytes];
}
