/** The chunked SSD scan of one layer of mamba2-130m, through the public call. */
import { ssdChunkScan, ssdChunkScanBackward } from '@statespace/native-scan';
import { gradientsOf, ssdInputs } from '../inputs.mjs';
import { ssdBackwardLimit, ssdForwardLimit } from '../limits.mjs';

const shape = { batch: 4, seqLen: 2048, heads: 24, headDim: 64, dState: 128, groups: 1 };

export const ssdChunkScanCases = [
  {
    kernel: 'SSD chunk scan forward',
    shape,
    target: 0.7,
    limit: ssdForwardLimit,
    prepare(inputs) {
      const args = ssdInputs(inputs, shape);
      const out = inputs.empty(args.x.shape);
      return () => ssdChunkScan({ ...args, out, backend: 'cpu' });
    },
  },
  {
    kernel: 'SSD chunk scan backward',
    shape,
    target: 0.6,
    limit: ssdBackwardLimit,
    prepare(inputs) {
      const args = ssdInputs(inputs, shape);
      const gradients = gradientsOf(inputs, args);
      const gradOut = inputs.uniform(args.x.shape, -1, 1);
      return () => ssdChunkScanBackward({ ...args, gradOut, ...gradients, backend: 'cpu' });
    },
  },
];
