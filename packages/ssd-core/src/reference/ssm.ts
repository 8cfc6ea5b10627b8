/** State-space kernels of the reference. */
import type { SsmKernels } from '../backend.js';
import { ArgumentError } from '../errors.js';

const missing = (op: string) => () => {
  throw new ArgumentError({ op, hint: 'The reference of this kernel is being built' });
};

export const referenceSsmKernels: SsmKernels = {
  selectiveScan: missing('selectiveScan'),
  selectiveScanBackward: missing('selectiveScanBackward'),
  causalConv1d: missing('causalConv1d'),
  causalConv1dBackward: missing('causalConv1dBackward'),
  ssdChunkScan: missing('ssdChunkScan'),
  ssdChunkScanBackward: missing('ssdChunkScanBackward'),
  selectiveStateUpdate: missing('selectiveStateUpdate'),
  causalConv1dUpdate: missing('causalConv1dUpdate'),
};
