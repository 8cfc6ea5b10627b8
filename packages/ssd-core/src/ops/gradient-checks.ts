/** What backward passes check about the gradients they are asked to write. */
import { ArgumentError } from '../errors.js';
import { expectOutput, expectStridedOutput } from '../tensor-checks.js';
import type { TensorLike } from '../tensor-like.js';
import { complexDTypes } from './float64-tensor.js';

/** What a gradient may be besides contiguous and real. */
export interface GradientForm {
  /** (re, im) along the last axis. */
  readonly complex?: boolean;
  /** Any strides: the gradient of a tensor with a length. */
  readonly strided?: boolean;
}

/**
 * Checks that `gradient`, where asked for, can hold the gradient of `input`, of its shape.
 * @throws {ArgumentError} when `input` was not given. @throws {ShapeError | DTypeError | DisposedError}
 */
export function expectGradient(
  op: string,
  argument: string,
  gradient: TensorLike | undefined,
  input: TensorLike | undefined,
  { complex = false, strided = false }: GradientForm = {},
): void {
  if (gradient === undefined) return;
  if (input === undefined) {
    throw new ArgumentError({
      op,
      argument,
      wanted: 'no gradient of an input that is absent',
      got: 'a tensor',
    });
  }
  const { shape } = input;
  const expectOne = strided ? expectStridedOutput : expectOutput;
  expectOne(op, argument, gradient, complex ? { shape, dtypes: complexDTypes } : { shape });
}
