/** All kernels of the `cpu` backend: dense and state-space ones on the native addon, and its memory. */
import type { DenseKernels, Kernels } from '@statespace/ssd-core';
import type { NativeRuntime } from '../native-call.js';
import { nativeRuntime } from '../runtime.js';
import { cpuSsmKernels } from '../ssm/index.js';
import { elementwiseKernels } from './elementwise.js';
import { embeddingKernels } from './embedding.js';
import { gemmKernels } from './gemm.js';
import { lossKernels } from './loss.js';
import { cpuMemory } from './memory.js';
import { normKernels } from './norm.js';
import { optimizerKernels } from './optimizer.js';
import { randomKernels } from './random.js';
import { reduceKernels } from './reduce.js';

function cpuDenseKernels(runtime: NativeRuntime): DenseKernels {
  return {
    ...elementwiseKernels(runtime),
    ...reduceKernels(runtime),
    ...gemmKernels(runtime),
    ...normKernels(runtime),
    ...lossKernels(runtime),
    ...embeddingKernels(runtime),
    ...randomKernels(runtime),
    ...optimizerKernels(runtime),
  };
}

let kernels: Kernels | undefined;

/**
 * The kernels of the `cpu` backend: float32, on `getNumThreads()` threads. Every call gives the same object, so that
 * all users share one memory pool. With the environment variable `STATESPACE_POISON=1` new memory is filled with NaN.
 * @throws {BackendUnavailableError} when the native addon cannot be loaded, naming every place that was tried.
 */
export function createCpuKernels(): Kernels {
  if (kernels !== undefined) return kernels;
  const runtime = nativeRuntime('createCpuKernels');
  kernels = Object.freeze<Kernels>({
    name: 'cpu',
    device: 'cpu',
    computes: Object.freeze(['f32'] as const),
    ...cpuMemory(runtime.pool),
    ...cpuSsmKernels(runtime),
    ...cpuDenseKernels(runtime),
  });
  return kernels;
}
