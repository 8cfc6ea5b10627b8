/** The one place that knows where kernels come from; another backend package replaces this file alone. */
import { type BackendChoice, getKernels } from '@statespace/native-scan';
import type { Kernels } from '@statespace/ssd-core';

export { type BackendInfo, getBackendInfo, getNumThreads, setNumThreads } from '@statespace/native-scan';

/**
 * Kernels of `'reference'`, `'cpu'`, `'cuda'`, `'cuda:0'`, or the best there is for `'auto'`.
 * @throws {BackendUnavailableError} when one asked for by name cannot be had. @throws {ArgumentError} for other names.
 */
export function loadKernels(device: string): Kernels {
  return getKernels(device as BackendChoice);
}
