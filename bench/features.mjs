/**
 * Features of the three families, each as a change of a plain call's arguments. `work` tells how the limit grows with
 * it; absent where the feature adds nothing that counts. `moves`: the sequence tensors have to be brought into another
 * order or format, eight bytes an element.
 */
import {
  causalConv1d,
  causalConv1dBackward,
  selectiveScan,
  selectiveScanBackward,
  ssdChunkScan,
  ssdChunkScanBackward,
} from '@statespace/native-scan';
import { convInputs, scanInputs, ssdInputs } from './inputs.mjs';
import { scanBackwardLimit, scanForwardLimit } from './limits.mjs';

const scanShape = { batch: 4, seqLen: 1024, dim: 768, dState: 16 };
const convShape = { batch: 4, seqLen: 1024, dim: 768, width: 4 };
const ssdShape = { batch: 4, seqLen: 512, heads: 12, headDim: 64, dState: 64, groups: 1 };

/** Features that every family has; `sequence` names its tensors of (B, L, ...). */
function sequenceFeatures({ batch, seqLen, sequence }) {
  const rows = (each) => ({ data: Int32Array.from({ length: batch }, each), shape: [batch] });
  const ids = Int32Array.from({ length: batch * seqLen }, (_, i) => Math.floor((4 * (i % seqLen)) / seqLen));
  return {
    lengths: { change: (args) => ({ ...args, lengths: rows(() => seqLen) }) },
    seqIdx: { change: (args) => ({ ...args, seqIdx: { data: ids, shape: [batch, seqLen] } }) },
    reverse: { change: (args) => ({ ...args, reverse: true }) },
    'layout bdl': {
      moves: true,
      change: (args, inputs) => ({
        ...args,
        layout: 'bdl',
        ...Object.fromEntries(
          Object.entries(args)
            .filter(([name]) => isSequence(name, sequence))
            .map(([name, { shape }]) => [name, inputs.uniform(lengthLast(shape), -1, 0)]),
        ),
      }),
    },
    bf16: halves('bf16', 0x3f00, sequence),
    f16: halves('f16', 0x3800, sequence),
  };
}

/** Sequence tensors, their gradients, the output and its gradient. */
const isSequence = (name, sequence) => name === 'out' || sequence.includes(name);

/** Bytes to read and write for another order or format of `args`: every tensor of (B, L, ...), once. */
export function bytesToMove(args, { batch, seqLen }) {
  const lengths = Object.values(args)
    .map((value) => value?.shape)
    .filter((shape) => shape?.length >= 3 && shape[0] === batch && shape[1] === seqLen)
    .map((shape) => shape.reduce((a, b) => a * b, 1));
  return 8 * lengths.reduce((a, b) => a + b, 0);
}

const gradName = (name) => `grad${name[0].toUpperCase()}${name.slice(1)}`;
const lengthLast = ([batch, seqLen, ...rest]) => [batch, ...rest, seqLen];

/** All of a format of 16 bits; `bits` is one half. */
function halves(dtype, bits, sequence) {
  return {
    moves: true,
    change: (args, inputs) => ({
      ...args,
      ...Object.fromEntries(
        Object.entries(args)
          .filter(([name]) => isSequence(name, sequence))
          .map(([name, { shape }]) => {
            const tensor = inputs.empty(shape, dtype);
            tensor.data.data.fill(bits);
            return [name, tensor];
          }),
      ),
    }),
  };
}

/** Leaves out what a plain call has not. */
const without = (args, ...names) =>
  Object.fromEntries(Object.entries(args).filter(([name]) => !names.includes(name)));

/** The arguments of the backward call: those of the forward without its outputs, and an output for each gradient. */
export function backwardArgs(args, inputs) {
  const given = without(args, 'out', 'returnLastState', 'lastState', 'returnFinalStates', 'finalStates');
  const skip = new Set(['lengths', 'seqIdx']);
  const tensors = Object.entries(given).filter(([name, value]) => value?.shape && !skip.has(name));
  const gradients = tensors.map(([name, { shape, dtype }]) => [gradName(name), inputs.empty(shape, dtype)]);
  return {
    ...given,
    gradOut: { ...(args.out ?? {}), data: filled(args.out, inputs) },
    ...Object.fromEntries(gradients),
  };
}

function filled(out, inputs) {
  const tensor = inputs.empty(out.shape, out.dtype);
  tensor.data.data.fill(out.dtype === 'f32' ? 0.5 : out.dtype === 'f16' ? 0x3800 : 0x3f00);
  return tensor.data;
}

const scanState = [scanShape.batch, scanShape.dim, scanShape.dState];

/** For each family: its calls, a plain call's arguments, and the features. */
export const families = [
  {
    family: 'selective scan',
    shape: scanShape,
    forward: selectiveScan,
    backward: selectiveScanBackward,
    plain(inputs) {
      const args = without(scanInputs(inputs, scanShape), 'D', 'z', 'deltaBias');
      return { ...args, out: inputs.empty(args.u.shape) };
    },
    features: {
      D: { change: (args, inputs) => ({ ...args, D: inputs.uniform([scanShape.dim], -1, 1) }) },
      deltaBias: {
        change: (args, inputs) => ({ ...args, deltaBias: inputs.uniform([scanShape.dim], -1, 0) }),
      },
      'z gate': {
        work: (probes) => ({
          forward:
            scanForwardLimit(scanShape, probes) / scanForwardLimit({ ...scanShape, gate: false }, probes),
          backward:
            scanBackwardLimit(scanShape, probes) / scanBackwardLimit({ ...scanShape, gate: false }, probes),
        }),
        change: (args, inputs) => ({ ...args, z: inputs.uniform(args.u.shape, -1, 1) }),
      },
      'initial and last state': {
        change: (args, inputs) => ({
          ...args,
          initialState: inputs.uniform(scanState, -1, 1),
          lastState: inputs.empty(scanState),
          returnLastState: true,
        }),
      },
      ...sequenceFeatures({ ...scanShape, sequence: ['u', 'delta', 'B', 'C', 'z'] }),
    },
  },
  {
    family: 'causal conv1d',
    shape: convShape,
    forward: causalConv1d,
    backward: causalConv1dBackward,
    plain(inputs) {
      const args = without(convInputs(inputs, convShape), 'bias');
      return { ...args, out: inputs.empty(args.x.shape) };
    },
    features: {
      bias: { change: (args, inputs) => ({ ...args, bias: inputs.uniform([convShape.dim], -1, 1) }) },
      ...sequenceFeatures({ ...convShape, sequence: ['x'] }),
    },
  },
  {
    family: 'SSD chunk scan',
    shape: ssdShape,
    forward: ssdChunkScan,
    backward: ssdChunkScanBackward,
    plain(inputs) {
      const args = without(ssdInputs(inputs, ssdShape), 'D', 'dtBias');
      return { ...args, out: inputs.empty(args.x.shape) };
    },
    features: {
      D: { change: (args, inputs) => ({ ...args, D: inputs.uniform([ssdShape.heads], -1, 1) }) },
      dtBias: { change: (args, inputs) => ({ ...args, dtBias: inputs.uniform([ssdShape.heads], 0, 0.2) }) },
      ...sequenceFeatures({ ...ssdShape, sequence: ['x', 'dt', 'B', 'C', 'z'] }),
    },
  },
];
