/** Where a run is computed, settled before anything is written. */
import { ConfigError } from '@statespace/ssd-core';
import { getDeviceKernels, setNumThreads } from '@statespace/tensor';
import type { CommonParams } from '../config/common-params.js';

/**
 * The device that `params.device` stands for; sets the threads where a number was asked for.
 * @throws {BackendUnavailableError} when a device asked for by name cannot be had.
 * @throws {ConfigError} for threads on a device that has no use for them.
 */
export function chooseDevice({ device, threads }: Pick<CommonParams, 'device' | 'threads'>): string {
  const chosen = getDeviceKernels(device).device;
  if (threads === undefined) return chosen;
  if (chosen === 'cpu') setNumThreads(threads);
  else if (threads > 1) {
    throw new ConfigError({
      op: 'config',
      argument: 'threads',
      wanted: `1 on the device '${chosen}', which computes with one`,
      got: String(threads),
    });
  }
  return chosen;
}
