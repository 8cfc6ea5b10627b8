/** Which backends this machine has. */
import { BackendUnavailableError } from '@statespace/ssd-core';
import { getDeviceKernels } from '@statespace/tensor';

/** Whether `device` can compute here. */
export function canRun(device: string): boolean {
  try {
    getDeviceKernels(device);
    return true;
  } catch (error) {
    if (error instanceof BackendUnavailableError) return false;
    throw error;
  }
}
