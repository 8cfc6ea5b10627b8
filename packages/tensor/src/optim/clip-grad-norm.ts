/** Clipping by the norm of all gradients together (Pascanu et al. 2013, arXiv:1211.5063). */
import { ArgumentError } from '@statespace/ssd-core';
import { getDeviceKernels } from '../device.js';
import { allocate, dense } from '../ops/layout.js';
import { Parameter } from '../parameter.js';
import { scope } from '../scope.js';
import type { Tensor } from '../tensor.js';

export interface ClippedNorm {
  /** (1): Euclidean norm of all gradients before clipping; NaN or Infinity when one of them is. */
  readonly norm: Tensor;
  /** (1): min(1, maxNorm / (norm + 1e-6)). */
  readonly factor: Tensor;
}

/**
 * The norm of all gradients, and the factor that brings it to `maxNorm`; both stay in device memory. Gradients
 * are not changed: hand `factor` to `step({ gradScale })`, which spares a pass over them.
 * @throws {ArgumentError} when gradients lie on several devices.
 */
export function clipGradNorm(
  parameters: Iterable<Parameter | readonly [string, Parameter]>,
  maxNorm: number,
): ClippedNorm {
  const op = 'clipGradNorm';
  if (!(maxNorm > 0)) {
    throw new ArgumentError({ op, argument: 'maxNorm', wanted: 'a number above 0', got: String(maxNorm) });
  }
  return scope(() => {
    const grads: Tensor[] = [];
    // A parameter that is reached by two names counts once.
    const unique = new Set<Parameter>();
    for (const item of parameters) unique.add(item instanceof Parameter ? item : item[1]);
    for (const { grad } of unique) if (grad !== undefined) grads.push(dense(grad));
    const first = grads[0];
    const kernels = first?.kernels ?? getDeviceKernels();
    for (const grad of grads) {
      if (grad.kernels === kernels) continue;
      const wanted = `gradients on one device, ${kernels.device}`;
      throw new ArgumentError({ op, argument: 'parameters', wanted, got: `one on ${grad.device}` });
    }
    const dtype = first?.dtype ?? 'f32';
    const norm = allocate(kernels, dtype, [1]);
    const factor = allocate(kernels, dtype, [1]);
    kernels.gradNorm({ grads, maxNorm, norm, factor });
    return { norm, factor };
  });
}
