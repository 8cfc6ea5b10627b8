/** What ops ask of their inputs: alive, a float format the device computes in, one device, whole indices. */
import { ArgumentError, DTypeError, formatShape, type Kernels, ShapeError } from '@statespace/ssd-core';
import { checkUsable } from '../autograd/graph.js';
import { Tensor } from '../tensor.js';
import { allocate } from './layout.js';

/** Integer input: a tensor of i32, or a host array that is copied to the device. */
export type Indices = Tensor | Int32Array;

/** @throws {DTypeError} when the device of `x` does not compute in its format. @throws {DisposedError} */
export function checkFloat(op: string, argument: string, x: Tensor): void {
  if (x.disposed) checkUsable(op, argument, x);
  const { computes } = x.kernels;
  if ((x.dtype === 'f32' || x.dtype === 'f64') && computes.includes(x.dtype)) return;
  const formats = (['f32', 'f64'] as const).filter((dtype) => computes.includes(dtype));
  throw new DTypeError({
    op,
    argument,
    wanted: `${formats.join(' or ')} on ${x.device}`,
    got: x.dtype,
    hint: x.dtype === 'f64' ? "Use device 'reference' for f64, or cast('f32')" : "Use cast('f32') first",
  });
}

/** Checks that every given input is a float tensor of the same device and format as `first`. */
export function checkPeers(
  op: string,
  argument: string,
  first: Tensor,
  others: Readonly<Record<string, Tensor | undefined>>,
): void {
  checkFloat(op, argument, first);
  for (const name in others) {
    const other = others[name];
    if (other !== undefined) checkPeer(op, argument, first, name, other);
  }
}

/** Checks that `other` is alive and has the device and format of `first`. */
export function checkPeer(op: string, argument: string, first: Tensor, name: string, other: Tensor): void {
  if (other.disposed) checkUsable(op, name, other);
  if (other.kernels !== first.kernels) {
    throw new ArgumentError({
      op,
      argument: name,
      wanted: `a tensor on ${first.device}, like ${argument}`,
      got: `one on ${other.device}`,
      hint: `Use to('${first.device}')`,
    });
  }
  if (other.dtype !== first.dtype) {
    throw new DTypeError({
      op,
      argument: name,
      wanted: `${first.dtype}, like ${argument}`,
      got: other.dtype,
      hint: `Use cast('${first.dtype}')`,
    });
  }
}

/** @throws {ShapeError} unless `x` has one of `ranks` axes; `letters` name them in the message. */
export function checkRank(
  op: string,
  argument: string,
  x: Tensor,
  ranks: readonly number[],
  letters: string,
): void {
  if (ranks.includes(x.rank)) return;
  throw new ShapeError({ op, argument, wanted: letters, got: formatShape(x.shape) });
}

/** Indices as a tensor of i32 on `kernels`; a host array is copied there. Free a copy with `dropIndices`. */
export function indexTensor(op: string, argument: string, value: Indices, kernels: Kernels): Tensor {
  if (value instanceof Tensor) {
    if (value.disposed) checkUsable(op, argument, value);
    if (value.dtype !== 'i32') {
      throw new DTypeError({ op, argument, wanted: 'i32', got: value.dtype, hint: "Use cast('i32')" });
    }
    if (value.kernels !== kernels) {
      throw new ArgumentError({
        op,
        argument,
        wanted: `a tensor on ${kernels.device}`,
        got: `one on ${value.device}`,
        hint: `Use to('${kernels.device}')`,
      });
    }
    return value;
  }
  if (!(value instanceof Int32Array)) {
    throw new DTypeError({ op, argument, wanted: 'an i32 tensor or an Int32Array', got: typeof value });
  }
  const copy = allocate(kernels, 'i32', [value.length]);
  kernels.upload(copy.data, value);
  return copy;
}

/** Frees the copy that `indexTensor` made of a host array. */
export function dropIndices(copy: Tensor | undefined, original: Indices | undefined): void {
  if (copy !== original) copy?.dispose();
}
