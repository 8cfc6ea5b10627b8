/** Writing numbers without mixing them: affine maps, copies with conversion, accumulation, fill. */

import { broadcastView } from '../../broadcast.js';
import { ArgumentError, DTypeError } from '../../errors.js';
import type { AccumulateArgs, AffineArgs, CopyArgs, FillArgs } from '../../kernels/dense-args.js';
import { loadFloat64 } from '../../reference/views.js';
import {
  everyDType,
  expectInput,
  expectOutput,
  expectStridedOutput,
  realDTypes,
} from '../../tensor-checks.js';
import { type TensorLike, tensorDType } from '../../tensor-like.js';
import { type Float64Tensor, float64Tensor } from '../float64-tensor.js';

/** @throws {StatespaceError} naming `op` and the argument that does not fit. */
export function checkAffine(op: string, args: AffineArgs): void {
  expectInput(op, 'x', args.x, { dtypes: realDTypes });
  expectNumber(op, 'alpha', args.alpha);
  expectNumber(op, 'beta', args.beta);
  expectOutput(op, 'out', args.out, { shape: args.x.shape, dtypes: realDTypes });
}

/** @throws {StatespaceError} naming `op` and the argument that does not fit. */
export function checkCopy(op: string, args: CopyArgs): void {
  checkPair(op, args.x, args.out);
  // Also finds shapes that do not stretch.
  broadcastView(op, 'x', args.x, args.out.shape);
}

/** @throws {StatespaceError} naming `op` and the argument that does not fit. */
export function checkAccumulate(op: string, args: AccumulateArgs): void {
  checkPair(op, args.x, args.out);
  expectInput(op, 'x', args.x, { shape: args.out.shape, dtypes: everyDType });
}

/** @throws {StatespaceError} naming `op` and the argument that does not fit. */
export function checkFill(op: string, args: FillArgs): void {
  expectStridedOutput(op, 'out', args.out, { dtypes: everyDType });
  expectNumber(op, 'value', args.value);
}

/** alpha * x + beta for each entry. */
export function affineRef({ x, alpha, beta }: Omit<AffineArgs, 'out'>): Float64Tensor {
  expectInput('affine', 'x', x, { dtypes: realDTypes });
  const values = loadFloat64('affine', 'x', x).map((value) => alpha * value + beta);
  return float64Tensor(values, x.shape);
}

function checkPair(op: string, x: TensorLike, out: TensorLike): void {
  expectInput(op, 'x', x, { dtypes: everyDType });
  expectStridedOutput(op, 'out', out, { dtypes: everyDType });
  // Pairs of (re, im) have no place in a real format: dropping or inventing a part would be a silent loss.
  if (isComplex(x) !== isComplex(out)) {
    throw new DTypeError({
      op,
      argument: 'out',
      wanted: isComplex(x) ? 'c64 or c128' : 'a real format',
      got: tensorDType(out),
    });
  }
}

function isComplex(tensor: TensorLike): boolean {
  const dtype = tensorDType(tensor);
  return dtype === 'c64' || dtype === 'c128';
}

function expectNumber(op: string, argument: string, value: number): void {
  if (typeof value === 'number') return;
  throw new ArgumentError({ op, argument, wanted: 'a number', got: String(value) });
}
