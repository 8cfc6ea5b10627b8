/** Where a run is computed, settled before anything is written. */
import { getDeviceKernels, setNumThreads } from '@statespace/tensor';
import type { CommonParams } from '../config/common-params.js';

/**
 * The device that `params.device` stands for; sets the threads where a number was asked for.
 * @throws {BackendUnavailableError} when a device asked for by name cannot be had.
 */
export function chooseDevice({ device, threads }: Pick<CommonParams, 'device' | 'threads'>): string {
  const chosen = getDeviceKernels(device).device;
  if (threads !== undefined && chosen === 'cpu') setNumThreads(threads);
  return chosen;
}
