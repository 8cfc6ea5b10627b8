/** Global gradient norm and the factor that clips it: Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063. */
import { ArgumentError } from '../../errors.js';
import type { GradNormArgs } from '../../kernels/dense-args.js';
import { loadFloat64 } from '../../reference/views.js';
import { everyDType, expectInput, expectOutput, floatDTypes } from '../../tensor-checks.js';
import type { TensorLike } from '../../tensor-like.js';

/** Keeps the factor finite for a norm of 0, as torch.nn.utils.clip_grad_norm_ does. */
export const clipEpsilon = 1e-6;

const gradientDTypes = everyDType.filter(
  (dtype) => floatDTypes.includes(dtype) || dtype === 'c64' || dtype === 'c128',
);

/** @throws {StatespaceError} naming `op` and the argument that does not fit. */
export function checkGradNorm(op: string, args: GradNormArgs): void {
  checkInputs(op, args.grads, args.maxNorm);
  expectOutput(op, 'norm', args.norm, { shape: [1] });
  expectOutput(op, 'factor', args.factor, { shape: [1] });
}

/**
 * norm = sqrt(sum of squares of all entries of all tensors), factor = min(1, maxNorm / (norm + 1e-6)).
 * A NaN makes both NaN; `maxNorm` Infinity makes the factor 1 for every other norm.
 */
export function gradNormRef({ grads, maxNorm }: Pick<GradNormArgs, 'grads' | 'maxNorm'>): {
  readonly norm: number;
  readonly factor: number;
} {
  checkInputs('gradNorm', grads, maxNorm);
  let squares = 0;
  grads.forEach((grad, index) => {
    for (const value of loadFloat64('gradNorm', `grads[${index}]`, grad)) squares += value * value;
  });
  const norm = Math.sqrt(squares);
  if (maxNorm === Number.POSITIVE_INFINITY && !Number.isNaN(norm)) return { norm, factor: 1 };
  return { norm, factor: Math.min(1, maxNorm / (norm + clipEpsilon)) };
}

function checkInputs(op: string, grads: readonly TensorLike[], maxNorm: number): void {
  if (!(maxNorm >= 0)) {
    throw new ArgumentError({
      op,
      argument: 'maxNorm',
      wanted: 'a number of 0 or more',
      got: String(maxNorm),
    });
  }
  grads.forEach((grad, index) => {
    expectInput(op, `grads[${index}]`, grad, { dtypes: gradientDTypes });
  });
}
