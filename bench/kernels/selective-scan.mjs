/** The selective scan of one layer of mamba-130m, through the public call. */
import { selectiveScan, selectiveScanBackward } from '@statespace/native-scan';
import { gradientsOf, scanInputs } from '../inputs.mjs';
import { scanBackwardLimit, scanForwardLimit } from '../limits.mjs';

const shape = { batch: 8, seqLen: 2048, dim: 1536, dState: 16 };

export const selectiveScanCases = [
  {
    kernel: 'selective scan forward',
    shape,
    target: 0.9,
    limit: scanForwardLimit,
    prepare(inputs) {
      const args = scanInputs(inputs, shape);
      const out = inputs.empty(args.u.shape);
      return () => selectiveScan({ ...args, out, backend: 'cpu' });
    },
  },
  {
    // As in training: the forward pass has kept the state before every 16th step.
    kernel: 'selective scan backward',
    shape,
    target: 0.75,
    limit: scanBackwardLimit,
    prepare(inputs) {
      const args = scanInputs(inputs, shape);
      const gradients = gradientsOf(inputs, args);
      const gradOut = inputs.uniform(args.u.shape, -1, 1);
      const { checkpoints } = selectiveScan({ ...args, backend: 'cpu', returnCheckpoints: true });
      return () => selectiveScanBackward({ ...args, checkpoints, gradOut, ...gradients, backend: 'cpu' });
    },
  },
];
