/** What is measured side by side: inputs, our calls, and the files that hand inputs and expected results to a peer. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  causalConv1d,
  causalConv1dBackward,
  getKernels,
  selectiveScan,
  selectiveScanBackward,
  ssdChunkScan,
  ssdChunkScanBackward,
} from '@statespace/native-scan';
import { convInputs, gradientsOf, scanInputs, ssdInputs } from '../inputs.mjs';

const scan = (shape) => ({
  family: 'selective-scan',
  rows: ['kernels: selective scan forward', 'kernels: selective scan backward'],
  shape,
  inputs: scanInputs,
  calls: [selectiveScan, selectiveScanBackward],
  checked: 'u',
});

const product = (size) => ({
  family: 'gemm',
  rows: ['matrix products: gemm'],
  shape: { m: size, n: size, k: size },
  inputs: (inputs) => ({
    a: inputs.uniform([size, size], -0.5, 0.5),
    b: inputs.uniform([size, size], -0.5, 0.5),
  }),
});

/** By name. `rows`: those of our own table that it stands beside, which `--only` may name; `checked`: the input whose gradient is compared. */
export const cases = {
  'selective scan (2, 128, 64), N 16': scan({ batch: 2, seqLen: 128, dim: 64, dState: 16 }),
  'selective scan (1, 2048, 1536), N 16': scan({ batch: 1, seqLen: 2048, dim: 1536, dState: 16 }),
  'conv1d + SiLU (1, 2048, 1536), W 4': {
    family: 'causal-conv1d',
    rows: ['kernels: causal conv1d + SiLU forward', 'kernels: causal conv1d + SiLU backward'],
    shape: { batch: 1, seqLen: 2048, dim: 1536, width: 4 },
    inputs: convInputs,
    calls: [causalConv1d, causalConv1dBackward],
    checked: 'x',
  },
  'SSD (1, 2048, 24 x 64), N 128': {
    family: 'ssd-chunk-scan',
    rows: ['kernels: SSD chunk scan forward', 'kernels: SSD chunk scan backward'],
    shape: { batch: 1, seqLen: 2048, heads: 24, headDim: 64, dState: 128, groups: 1 },
    inputs: ssdInputs,
    calls: [ssdChunkScan, ssdChunkScanBackward],
    checked: 'x',
  },
  'matrix product 512³': product(512),
  'matrix product 1024³': product(1024),
};

/** Our calls on one backend: `forward`, and `training`, forward and every gradient. */
export function ourCalls(one, inputs, args, backend) {
  if (one.family === 'gemm') {
    const { m, n } = one.shape;
    const out = inputs.empty([m, n]);
    const kernels = getKernels(backend);
    return { out, forward: () => kernels.gemm({ a: args.a, b: args.b, out }) };
  }
  const [forwardCall, backwardCall] = one.calls;
  const { shape } = args[one.checked];
  const out = inputs.empty(shape);
  const gradOut = inputs.empty(shape);
  gradOut.data.data.fill(1);
  const gradients = gradientsOf(inputs, args);
  const forward = () => forwardCall({ ...args, out, backend });
  const training = () => {
    forward();
    backwardCall({ ...args, gradOut, ...gradients, backend });
  };
  const checked = `grad${one.checked.toUpperCase()}`;
  return { out, gradient: gradients[checked], forward, training };
}

/** Writes the inputs and our results as raw float32 files beside a `case.json`. */
export function writeCase(folder, name, one, args, { out, gradient }) {
  mkdirSync(folder, { recursive: true });
  const tensors = Object.entries(args).filter(([, value]) => value?.shape !== undefined);
  const arrays = Object.fromEntries(tensors.map(([key, { shape }]) => [key, shape]));
  for (const [key, { data }] of tensors) writeArray(join(folder, `${key}.f32`), data);
  writeArray(join(folder, 'out.f32'), out.data);
  if (gradient !== undefined) writeArray(join(folder, 'gradient.f32'), gradient.data);
  const { family, shape, checked } = one;
  writeFileSync(
    join(folder, 'case.json'),
    JSON.stringify({ name, family, shape, checked, arrays, out: out.shape }),
  );
}

function writeArray(path, { data }) {
  writeFileSync(path, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}
