/** One token through one layer, batch 1: the calls of a decode loop, JavaScript's own time included. */
import { causalConv1dUpdate, selectiveStateUpdate } from '@statespace/native-scan';
import { updateLimit } from '../limits.mjs';

const mamba = { dim: 1536, dState: 16, width: 4 };
const mamba2 = { heads: 24, headDim: 64, dState: 128 };

export const updateCases = [
  {
    kernel: 'selective state update, Mamba',
    shape: mamba,
    target: 1,
    limit: (_, probes) => updateLimit({ states: mamba.dim * mamba.dState }, probes),
    prepare(inputs) {
      const { dim, dState } = mamba;
      const args = {
        state: inputs.uniform([1, dim, dState], -1, 1),
        x: inputs.uniform([1, dim], -1, 1),
        dt: inputs.uniform([1, dim], -4, 0),
        A: inputs.uniform([dim, dState], -16, -0.1),
        B: inputs.uniform([1, dState], -1, 1),
        C: inputs.uniform([1, dState], -1, 1),
        D: inputs.uniform([dim], -1, 1),
        z: inputs.uniform([1, dim], -1, 1),
        dtBias: inputs.uniform([dim], -1, 0),
        dtSoftplus: true,
        out: inputs.empty([1, dim]),
      };
      return () => selectiveStateUpdate({ ...args, backend: 'cpu' });
    },
  },
  {
    kernel: 'selective state update, Mamba-2',
    shape: mamba2,
    target: 1,
    limit: (_, probes) => updateLimit({ states: mamba2.heads * mamba2.headDim * mamba2.dState }, probes),
    prepare(inputs) {
      const { heads, headDim, dState } = mamba2;
      const args = {
        state: inputs.uniform([1, heads, headDim, dState], -1, 1),
        x: inputs.uniform([1, heads, headDim], -1, 1),
        dt: inputs.uniform([1, heads], -4, 0),
        A: inputs.uniform([heads], -1, -0.1),
        B: inputs.uniform([1, 1, dState], -1, 1),
        C: inputs.uniform([1, 1, dState], -1, 1),
        D: inputs.uniform([heads], -1, 1),
        z: inputs.uniform([1, heads, headDim], -1, 1),
        dtBias: inputs.uniform([heads], 0, 0.2),
        dtSoftplus: true,
        out: inputs.empty([1, heads, headDim]),
      };
      return () => selectiveStateUpdate({ ...args, backend: 'cpu' });
    },
  },
  {
    kernel: 'causal conv1d update',
    shape: mamba,
    target: 1,
    limit: (_, probes) => updateLimit({ states: mamba.dim * (mamba.width - 1) }, probes),
    prepare(inputs) {
      const { dim, width } = mamba;
      const args = {
        x: inputs.uniform([1, dim], -1, 1),
        convState: inputs.uniform([1, dim, width - 1], -1, 1),
        weight: inputs.uniform([dim, width], -1, 1),
        bias: inputs.uniform([dim], -1, 1),
        activation: 'silu',
        out: inputs.empty([1, dim]),
      };
      return () => causalConv1dUpdate({ ...args, backend: 'cpu' });
    },
  },
];
