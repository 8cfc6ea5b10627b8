/** The three families at lengths of 65,536 and 1,048,576: few channels, so that the tensors fit in memory. */
import {
  causalConv1d,
  causalConv1dBackward,
  selectiveScan,
  selectiveScanBackward,
  ssdChunkScan,
  ssdChunkScanBackward,
} from '@statespace/native-scan';
import { convInputs, gradientsOf, scanInputs, ssdInputs } from './inputs.mjs';

export const shortLength = 65_536;
export const longLength = 1_048_576;

const families = [
  {
    family: 'selective scan',
    calls: [selectiveScan, selectiveScanBackward],
    states: 32 * 16,
    args: (inputs, seqLen) => scanInputs(inputs, { batch: 1, seqLen, dim: 32, dState: 16 }),
  },
  {
    family: 'causal conv1d',
    calls: [causalConv1d, causalConv1dBackward],
    states: 0,
    args: (inputs, seqLen) => convInputs(inputs, { batch: 1, seqLen, dim: 32, width: 4 }),
  },
  {
    family: 'SSD chunk scan',
    calls: [ssdChunkScan, ssdChunkScanBackward],
    states: 2 * 16 * 16,
    args: (inputs, seqLen) =>
      ssdInputs(inputs, { batch: 1, seqLen, heads: 2, headDim: 16, dState: 16, groups: 1 }),
  },
];

/** Each family and direction: its name, the bytes of one step's states, and its call at a length. */
export const longCases = families.flatMap(({ family, calls: [forward, backward], states, args: make }) => [
  {
    name: `${family} forward`,
    stateBytes: 4 * states,
    prepare(inputs, seqLen) {
      const args = make(inputs, seqLen);
      const out = inputs.empty((args.u ?? args.x).shape);
      return () => forward({ ...args, out, backend: 'cpu' });
    },
  },
  {
    name: `${family} backward`,
    stateBytes: 4 * states,
    prepare(inputs, seqLen) {
      const args = make(inputs, seqLen);
      const gradOut = inputs.uniform((args.u ?? args.x).shape, -1, 1);
      const gradients = gradientsOf(inputs, args);
      return () => backward({ ...args, gradOut, ...gradients, backend: 'cpu' });
    },
  },
]);
