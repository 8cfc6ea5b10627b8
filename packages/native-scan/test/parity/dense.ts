/** Runs a dense op on the native backend and on the reference, from the same float32 inputs. */
import { createReferenceKernels, type DenseKernels, type TensorLike } from '@statespace/ssd-core';
import { maxRelativeError } from '@statespace/ssd-core/testing';
import { expect } from 'vitest';
import { cpu } from '../support.js';

/**
 * `build` makes the arguments of one call with fresh outputs, and names the outputs. The reference computes in
 * float64 and rounds once, so the difference is the native kernel's own error.
 */
export function expectParity<Op extends keyof DenseKernels>(
  op: Op,
  build: () => {
    args: Parameters<DenseKernels[Op]>[0];
    outputs: Readonly<Record<string, TensorLike | undefined>>;
  },
  tolerance: number,
): void {
  const ours = build();
  const wanted = build();
  (cpu()[op] as (args: unknown) => void)(ours.args);
  (createReferenceKernels()[op] as (args: unknown) => void)(wanted.args);
  for (const [name, output] of Object.entries(ours.outputs)) {
    if (output === undefined) continue;
    const result = output.data as Float32Array;
    const expected = (wanted.outputs[name] as TensorLike).data as Float32Array;
    expect(maxRelativeError(result, expected), name).toBeLessThanOrEqual(tolerance);
  }
}
