/** What the native kernels do not take although the op is defined for it. */
import { ShapeError } from '@statespace/ssd-core';

const hint = "Use the backend 'reference' or 'auto'";

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
