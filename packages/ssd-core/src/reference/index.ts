/** The `reference` backend: every kernel in float64, on typed arrays of any format and strides. */
import type { Kernels } from '../backend.js';
import { referenceDenseKernels } from './dense.js';
import { referenceMemory } from './memory.js';
import { referenceSsmKernels } from './ssm.js';

const referenceKernels: Kernels = Object.freeze({
  name: 'reference',
  device: 'reference',
  computes: Object.freeze(['f64', 'f32'] as const),
  ...referenceMemory,
  ...referenceSsmKernels,
  ...referenceDenseKernels,
});

/**
 * The reference kernels. They have no state, so every call gives the same object.
 * With the environment variable `STATESPACE_POISON=1` new memory is filled with NaN instead of zeros.
 */
export function createReferenceKernels(): Kernels {
  return referenceKernels;
}
