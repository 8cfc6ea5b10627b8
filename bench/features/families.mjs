/** The three families with their features: the call, a plain call's arguments, and how each feature changes them. */
import {
  causalConv1d,
  causalConv1dBackward,
  selectiveScan,
  selectiveScanBackward,
  ssdChunkScan,
  ssdChunkScanBackward,
} from '@statespace/native-scan';
import { convInputs, scanInputs, ssdInputs } from '../inputs.mjs';
import { scanBackwardLimit, scanForwardLimit, ssdBackwardLimit, ssdForwardLimit } from '../limits.mjs';
import { sequenceFeatures } from './sequence-features.mjs';

const scanShape = { batch: 4, seqLen: 1024, dim: 768, dState: 16 };
const convShape = { batch: 4, seqLen: 1024, dim: 768, width: 4 };
const ssdShape = { batch: 4, seqLen: 512, heads: 12, headDim: 64, dState: 64, groups: 1 };

const scanState = [scanShape.batch, scanShape.dim, scanShape.dState];
const convState = [convShape.batch, convShape.dim, convShape.width - 1];
const ssdState = [ssdShape.batch, ssdShape.heads, ssdShape.headDim, ssdShape.dState];

/** A feature that is one more tensor. */
const tensor = (name, shape, low, high) => ({
  change: (args, inputs) => ({ ...args, [name]: inputs.uniform(shape, low, high) }),
});

/** The gate, and how the limit of each direction grows with it. */
const gate = (shape, gateShape, forwardLimit, backwardLimit) => {
  const growth = (limit, probes) =>
    limit({ ...shape, gate: true }, probes) / limit({ ...shape, gate: false }, probes);
  return {
    ...tensor('z', gateShape, -1, 1),
    work: {
      forward: (probes) => growth(forwardLimit, probes),
      backward: (probes) => growth(backwardLimit, probes),
    },
  };
};

/** States before the first and after the last step; backward, their gradients. */
const conv1dAndSsdStates = (shape) => ({
  change: (args, inputs) => ({
    ...args,
    initialStates: inputs.uniform(shape, -1, 1),
    finalStates: inputs.empty(shape),
    returnFinalStates: true,
  }),
});

/**
 * `change` makes the arguments of a call with the feature from those of a plain one; `work` tells how the limit grows
 * with it, and is absent where the feature adds nothing that counts; `moves`: the sequence tensors have to be brought
 * into another order or format.
 */
export const families = [
  {
    family: 'selective scan',
    shape: scanShape,
    calls: { forward: selectiveScan, backward: selectiveScanBackward },
    plain(inputs) {
      const { D, z, deltaBias, ...args } = scanInputs(inputs, scanShape);
      return { ...args, out: inputs.empty(args.u.shape) };
    },
    features: {
      D: tensor('D', [scanShape.dim], -1, 1),
      deltaBias: tensor('deltaBias', [scanShape.dim], -1, 0),
      'z gate': gate(
        scanShape,
        [scanShape.batch, scanShape.seqLen, scanShape.dim],
        scanForwardLimit,
        scanBackwardLimit,
      ),
      'initial and last state': {
        change: (args, inputs) => ({
          ...args,
          initialState: inputs.uniform(scanState, -1, 1),
          lastState: inputs.empty(scanState),
          returnLastState: true,
        }),
      },
      ...sequenceFeatures({ ...scanShape, sequence: ['u', 'delta', 'B', 'C'] }),
    },
  },
  {
    family: 'causal conv1d',
    shape: convShape,
    calls: { forward: causalConv1d, backward: causalConv1dBackward },
    plain(inputs) {
      const { bias, ...args } = convInputs(inputs, convShape);
      return { ...args, out: inputs.empty(args.x.shape) };
    },
    features: {
      bias: tensor('bias', [convShape.dim], -1, 1),
      'initial and final states': conv1dAndSsdStates(convState),
      ...sequenceFeatures({ ...convShape, sequence: ['x'] }),
    },
  },
  {
    family: 'SSD chunk scan',
    shape: ssdShape,
    calls: { forward: ssdChunkScan, backward: ssdChunkScanBackward },
    plain(inputs) {
      const { D, dtBias, ...args } = ssdInputs(inputs, ssdShape);
      return { ...args, out: inputs.empty(args.x.shape) };
    },
    features: {
      D: tensor('D', [ssdShape.heads], -1, 1),
      dtBias: tensor('dtBias', [ssdShape.heads], 0, 0.2),
      dtLimit: { change: (args) => ({ ...args, dtLimit: [0.05, 0.5] }) },
      'z gate': gate(
        ssdShape,
        [ssdShape.batch, ssdShape.seqLen, ssdShape.heads, ssdShape.headDim],
        ssdForwardLimit,
        ssdBackwardLimit,
      ),
      'initial and final states': conv1dAndSsdStates(ssdState),
      ...sequenceFeatures({ ...ssdShape, sequence: ['x', 'dt', 'B', 'C'] }),
    },
  },
];
