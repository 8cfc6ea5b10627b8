/** The `cpu` backend with its asynchronous forms, made once. */
import type { Kernels } from '@statespace/ssd-core';
import { createCpuKernels } from './dense/index.js';
import { nativeRuntime } from './runtime.js';
import { type AsyncSsmKernels, cpuAsyncSsmKernels } from './ssm/index.js';

let backend: { readonly kernels: Kernels; readonly async: AsyncSsmKernels } | undefined;

/** `argument` is what named it. @throws {BackendUnavailableError} when the addon cannot be loaded. */
export function cpuBackend(
  op: string,
  argument = 'backend',
): { readonly kernels: Kernels; readonly async: AsyncSsmKernels } {
  if (backend === undefined) {
    const runtime = nativeRuntime(op, argument);
    backend = { kernels: createCpuKernels(), async: cpuAsyncSsmKernels(runtime) };
  }
  return backend;
}
