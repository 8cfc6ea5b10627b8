/** The convolution with SiLU of one layer of mamba-130m, through the public call. */
import { causalConv1d, causalConv1dBackward } from '@statespace/native-scan';
import { convInputs, gradientsOf } from '../inputs.mjs';
import { convBackwardLimit, convForwardLimit } from '../limits.mjs';

const shape = { batch: 8, seqLen: 2048, dim: 1536, width: 4 };

export const causalConv1dCases = [
  {
    kernel: 'causal conv1d + SiLU forward',
    shape,
    target: 0.85,
    limit: convForwardLimit,
    prepare(inputs) {
      const args = convInputs(inputs, shape);
      const out = inputs.empty(args.x.shape);
      return () => causalConv1d({ ...args, out, backend: 'cpu' });
    },
  },
  {
    kernel: 'causal conv1d + SiLU backward',
    shape,
    target: 0.7,
    limit: convBackwardLimit,
    prepare(inputs) {
      const args = convInputs(inputs, shape);
      const gradients = gradientsOf(inputs, args);
      const gradOut = inputs.uniform(args.x.shape, -1, 1);
      return () => causalConv1dBackward({ ...args, gradOut, ...gradients, backend: 'cpu' });
    },
  },
];
