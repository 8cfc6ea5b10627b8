/** Every kernel that has a target: its name, shape, target as a part of the limit, limit in seconds, and call. */
import { causalConv1dCases } from './causal-conv1d.mjs';
import { selectiveScanCases } from './selective-scan.mjs';
import { ssdChunkScanCases } from './ssd-chunk-scan.mjs';
import { updateCases } from './updates.mjs';

export const kernelCases = [
  ...selectiveScanCases,
  ...causalConv1dCases,
  ...ssdChunkScanCases,
  ...updateCases,
];
