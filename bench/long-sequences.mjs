/** The three families at lengths of 65,536 and 1,048,576: few channels, so that the tensors fit in memory. */
import {
  causalConv1d,
  causalConv1dBackward,
  selectiveScan,
  selectiveScanBackward,
  ssdChunkScan,
  ssdChunkScanBackward,
} from '@statespace/native-scan';
import { convInputs, scanInputs, ssdInputs } from './inputs.mjs';

export const shortLength = 65_536;
export const longLength = 1_048_576;

/** `args` of a length, the calls that take them, and the bytes of the states of one step. */
export const longFamilies = [
  {
    family: 'selective scan',
    calls: { forward: selectiveScan, backward: selectiveScanBackward },
    stateBytes: 4 * 32 * 16,
    args: (inputs, seqLen) => scanInputs(inputs, { batch: 1, seqLen, dim: 32, dState: 16 }),
  },
  {
    family: 'causal conv1d',
    calls: { forward: causalConv1d, backward: causalConv1dBackward },
    stateBytes: 0,
    args: (inputs, seqLen) => convInputs(inputs, { batch: 1, seqLen, dim: 32, width: 4 }),
  },
  {
    family: 'SSD chunk scan',
    calls: { forward: ssdChunkScan, backward: ssdChunkScanBackward },
    stateBytes: 4 * 2 * 16 * 16,
    args: (inputs, seqLen) =>
      ssdInputs(inputs, { batch: 1, seqLen, heads: 2, headDim: 16, dState: 16, groups: 1 }),
  },
];

/** What they are called. */
export const longNames = longFamilies.flatMap(({ family, calls }) =>
  Object.keys(calls).map((direction) => `${family} ${direction}`),
);
