/** What the native kernels do not take although the op is defined for it. */
import { DTypeError, ShapeError } from '@statespace/ssd-core';

const hint = "Use the backend 'reference' or 'auto'";

/** @throws {DTypeError} for complex numbers, which have no native kernel. */
export function expectReal(op: string, argument: string, complex: boolean): void {
  if (!complex) return;
  throw new DTypeError({
    op,
    argument,
    wanted: 'real numbers (f32) on the cpu backend',
    got: 'complex',
    hint,
  });
}

/** @throws {ShapeError} when `size` is above the limit of the native kernel. */
export function expectAtMost(op: string, argument: string, name: string, size: number, limit: number): void {
  if (size <= limit) return;
  throw new ShapeError({
    op,
    argument,
    wanted: `${name} of at most ${limit} on the cpu backend`,
    got: String(size),
    hint,
  });
}
