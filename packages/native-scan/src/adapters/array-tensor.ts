/** Tensors as adapters give them: numbers of a library in a form that kernels take. */
import {
  ArgumentError,
  checkView,
  type DType,
  DTypeError,
  elementCount,
  formatShape,
  ShapeError,
  type TensorLike,
  type TypedArray,
} from '@statespace/ssd-core';

/** A tensor over a typed array, with its format always named. */
export interface ArrayTensor extends TensorLike {
  readonly data: TypedArray;
  readonly dtype: DType;
}

/** `value` itself, if it is an object to read from. @throws {ArgumentError} */
export function expectObject<T>(op: string, argument: string, wanted: string, value: T): T {
  if (typeof value === 'object' && value !== null) return value;
  throw new ArgumentError({ op, argument, wanted, got: value === null ? 'null' : typeof value });
}

/** A library's list of sizes or strides as an array of its own. @throws {ArgumentError} */
export function readList(op: string, argument: string, list: ArrayLike<number>): number[] {
  if (Array.isArray(list) || ArrayBuffer.isView(list)) return Array.from(list as ArrayLike<number>);
  throw new ArgumentError({ op, argument, wanted: 'a list of numbers', got: typeof list });
}

/** A tensor whose array holds its entries and no more. @throws {ShapeError} @throws {DisposedError} */
export function packedTensor(op: string, argument: string, tensor: ArrayTensor): ArrayTensor {
  checkView(op, argument, tensor);
  const { data, shape } = tensor;
  if (data.length === elementCount(shape)) return tensor;
  throw new ShapeError({
    op,
    argument,
    wanted: `${elementCount(shape)} numbers for shape ${formatShape(shape)}`,
    got: String(data.length),
  });
}

/** @throws {DTypeError} for complex formats, where `library` has none. */
export function refuseComplex(op: string, library: string, dtype: DType): void {
  if (dtype !== 'c64' && dtype !== 'c128') return;
  throw new DTypeError({
    op,
    argument: 'tensor',
    wanted: `a real tensor, since ${library} has no complex ones`,
    got: dtype,
    hint: `Give it as { ...tensor, dtype: '${dtype === 'c64' ? 'f32' : 'f64'}' }, its pairs along a last axis of 2`,
  });
}
