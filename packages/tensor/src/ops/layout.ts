/** Outputs of ops, and inputs brought into the memory order that a kernel takes. */
import { type DType, elementCount, type Kernels, type TensorLike } from '@statespace/ssd-core';
import { type Shape, viewStrides } from '../shape.js';
import { Storage } from '../storage.js';
import { Tensor } from '../tensor.js';

/** A new tensor with undefined contents. Complex formats, two array elements a number, are never allocated here. */
export function allocate(kernels: Kernels, dtype: DType, shape: Shape): Tensor {
  return new Tensor(Storage.allocate(kernels, dtype, elementCount(shape)), shape);
}

/** What a new tensor takes from another. */
export type Like = Pick<Tensor, 'kernels' | 'dtype' | 'shape'>;

/** A new tensor with the device, format and shape of `x`. */
export function allocateLike(x: Like): Tensor {
  return allocate(x.kernels, x.dtype, x.shape);
}

export function contiguousCopy(x: Tensor): Tensor {
  const out = allocateLike(x);
  if (x.size > 0) x.kernels.copy({ x, out });
  return out;
}

/** `x` itself if it is row-major, otherwise a copy, which the caller frees with `drop`. */
export function dense(x: Tensor): Tensor {
  return x.isContiguous ? x : contiguousCopy(x);
}

/** `x` itself if its last axis has unit stride, otherwise a copy, which the caller frees with `drop`. */
export function unitLast(x: Tensor): Tensor {
  return x.rank === 0 || x.strides[x.rank - 1] === 1 ? x : dense(x);
}

/** Frees what `dense` or `unitLast` copied. */
export function drop(copy: Tensor | undefined, original: Tensor | undefined): void {
  if (copy !== original) copy?.dispose();
}

/** `dense` for an optional tensor. */
export function denseMaybe(x: Tensor | undefined): Tensor | undefined {
  return x === undefined ? undefined : dense(x);
}

/** `unitLast` for an optional tensor. */
export function unitLastMaybe(x: Tensor | undefined): Tensor | undefined {
  return x === undefined ? undefined : unitLast(x);
}

/** `drop` for each pair. */
export function dropAll(
  copies: readonly (Tensor | undefined)[],
  originals: readonly (Tensor | undefined)[],
): void {
  for (let i = 0; i < copies.length; i++) drop(copies[i], originals[i]);
}

/** An undefined tensor like each input that needs a gradient. */
export function gradientsOf(
  inputs: readonly (Tensor | undefined)[],
  needs: readonly boolean[],
): (Tensor | undefined)[] {
  return inputs.map((input, i) => (needs[i] && input !== undefined ? allocateLike(input) : undefined));
}

/** The memory of row-major `x` under another shape, for a kernel. */
export function shaped(x: Tensor, shape: Shape): TensorLike {
  return { data: x.data, dtype: x.dtype, shape, offset: x.offset };
}

/**
 * All axes but the last as one, (M, K), for a kernel that takes rows of unit stride; undefined when strides do not
 * allow it without a copy.
 */
export function rowsOf(x: Tensor): TensorLike | undefined {
  const width = x.shape[x.rank - 1] as number;
  const rows = width === 0 ? elementCount(x.shape.slice(0, -1)) : x.size / width;
  const shape = [rows, width];
  if (x.isContiguous) return shaped(x, shape);
  const strides = viewStrides(x.shape, x.strides, shape);
  if (strides === undefined || (width > 1 && strides[1] !== 1)) return undefined;
  return { data: x.data, dtype: x.dtype, shape, strides: [strides[0] as number, 1], offset: x.offset };
}
