/** Copies between devices, through host memory. x, out (...); gradX = gradOut on x's device. */
import { checkUsable, record } from '../autograd/graph.js';
import { getDeviceKernels } from '../device.js';
import { toHost } from '../host.js';
import type { Tensor } from '../tensor.js';
import { allocate } from './layout.js';

/**
 * A copy of `x` on `device`; `x` itself if it is there.
 * @throws {BackendUnavailableError} when the device cannot be had.
 */
export function toDevice(x: Tensor, device: string): Tensor {
  checkUsable('to', 'x', x);
  const kernels = getDeviceKernels(device);
  if (kernels === x.kernels) return x;
  const out = allocate(kernels, x.dtype, x.shape);
  if (x.size > 0) kernels.upload(out.data, toHost(x));
  const back = x.device;
  record('to', [out], [x], [], ({ grad }) => [toDevice(grad, back)]);
  return out;
}
