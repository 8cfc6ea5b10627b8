/** Devices by name, and the one that new tensors go to. */
import type { Kernels } from '@statespace/ssd-core';
import { loadKernels } from './default-backend.js';

const registry = new Map<string, Kernels>();
let defaultKernels: Kernels | undefined;

/**
 * The kernels of a device, loaded on first use and shared afterwards; without a name those of the default device.
 * @throws {BackendUnavailableError} when a device asked for by name cannot be had.
 */
export function getDeviceKernels(device?: string): Kernels {
  if (device === undefined) {
    defaultKernels ??= getDeviceKernels('auto');
    return defaultKernels;
  }
  const known = registry.get(device);
  if (known !== undefined) return known;
  const loaded = loadKernels(device);
  // 'auto' and 'cuda' are other names of a device that may be loaded already: tensors of both must be peers.
  const kernels = registry.get(loaded.device) ?? loaded;
  registry.set(kernels.device, kernels);
  registry.set(device, kernels);
  return kernels;
}

/** Makes a backend of your own available under its `device` name. */
export function registerDevice(kernels: Kernels): void {
  registry.set(kernels.device, kernels);
}

/**
 * Sets where tensors are made when no device is named: `'reference'`, `'cpu'`, `'cuda:0'` or `'auto'`.
 * @throws {BackendUnavailableError} when that device cannot be had.
 */
export function setDefaultDevice(device: string): void {
  defaultKernels = getDeviceKernels(device);
}

/** Name of the device that tensors are made on when none is named. */
export function getDefaultDevice(): string {
  return getDeviceKernels().device;
}
