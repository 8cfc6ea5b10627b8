/** The ops over sequences as one list, for laws that hold for all of them. */
import type { SequenceOptions } from '../kernels/ssm-args.js';
import { causalConv1dRef } from '../ops/causal-conv1d/causal-conv1d.js';
import { causalConv1dBackwardRef } from '../ops/causal-conv1d/causal-conv1d-backward.js';
import { diagonalSsdRef } from '../ops/diagonal-ssd/diagonal-ssd.js';
import { diagonalSsdBackwardRef } from '../ops/diagonal-ssd/diagonal-ssd-backward.js';
import { selectiveScanRef } from '../ops/selective-scan/selective-scan.js';
import { selectiveScanBackwardRef } from '../ops/selective-scan/selective-scan-backward.js';
import { ssdChunkScanRef } from '../ops/ssd-chunk-scan/ssd-chunk-scan.js';
import { ssdChunkScanBackwardRef } from '../ops/ssd-chunk-scan/ssd-chunk-scan-backward.js';
import type { HostTensor } from './arrays.js';
import { randomSource } from './random.js';
import {
  randomConvInputs,
  randomDiagonalSsdInputs,
  randomScanInputs,
  randomSsdInputs,
} from './ssm-inputs.js';

/** Tensors by name, and options. */
export type OpInputs = Record<string, unknown> & SequenceOptions;
export type OpResults = Record<string, HostTensor | undefined>;

/** Sizes that all ops have. */
export interface OpSizes {
  readonly batch?: number;
  readonly seqLen: number;
  readonly seed?: number;
}

export interface SequenceOp {
  readonly name: 'selectiveScan' | 'causalConv1d' | 'ssdChunkScan' | 'diagonalSsd';
  /** float32 against float64: design.md's tolerance of this family. */
  readonly tolerance: number;
  readonly inputs: (sizes: OpSizes) => OpInputs;
  /** Inputs with a length. */
  readonly sequences: readonly string[];
  /** Outputs and gradients with a length. */
  readonly sequenceResults: readonly string[];
  readonly initialState: string;
  readonly lastState: string;
  readonly forward: (inputs: OpInputs) => OpResults;
  readonly backward: (inputs: OpInputs) => OpResults;
}

const ssd = {
  tolerance: 1.6e-5,
  sequences: ['x', 'dt', 'B', 'C', 'z'],
  sequenceResults: ['out', 'gradX', 'gradDt', 'gradB', 'gradC', 'gradZ'],
  initialState: 'initialStates',
  lastState: 'finalStates',
};

export const sequenceOps: readonly SequenceOp[] = [
  {
    name: 'selectiveScan',
    tolerance: 3e-6,
    inputs: (sizes) => ({ ...randomScanInputs({ dInner: 6, dState: 3, groupsB: 2, ...sizes }) }),
    sequences: ['u', 'delta', 'B', 'C', 'z'],
    sequenceResults: ['out', 'gradU', 'gradDelta', 'gradB', 'gradC', 'gradZ'],
    initialState: 'initialState',
    lastState: 'lastState',
    forward: (inputs) => ({ ...selectiveScanRef(inputs as never) }),
    backward: (inputs) => ({ ...selectiveScanBackwardRef(inputs as never) }),
  },
  {
    name: 'causalConv1d',
    tolerance: 2e-6,
    inputs: (sizes) => ({ ...randomConvInputs({ dim: 5, width: 4, ...sizes }) }),
    sequences: ['x'],
    sequenceResults: ['out', 'gradX'],
    initialState: 'initialStates',
    lastState: 'finalStates',
    forward: (inputs) => ({ ...causalConv1dRef(inputs as never) }),
    backward: (inputs) => ({ ...causalConv1dBackwardRef(inputs as never) }),
  },
  {
    name: 'ssdChunkScan',
    ...ssd,
    inputs: (sizes) => ({ ...randomSsdInputs({ nHeads: 4, headDim: 3, dState: 3, chunkSize: 4, ...sizes }) }),
    forward: (inputs) => ({ ...ssdChunkScanRef(inputs as never) }),
    backward: (inputs) => ({ ...ssdChunkScanBackwardRef(inputs as never) }),
  },
  {
    name: 'diagonalSsd',
    ...ssd,
    inputs: (sizes) => ({ ...randomDiagonalSsdInputs({ headDim: 3, dState: 3, chunkSize: 4, ...sizes }) }),
    forward: (inputs) => ({ ...diagonalSsdRef(inputs as never) }),
    backward: (inputs) => ({ ...diagonalSsdBackwardRef(inputs as never) }),
  },
];

/** Random gradients of the outputs of `op`. */
export function upstreamOf(op: SequenceOp, inputs: OpInputs, seed = 99): OpInputs {
  const source = randomSource(seed);
  const { out, [op.lastState]: state } = op.forward(inputs) as Record<string, HostTensor>;
  const stateName = `grad${op.lastState[0]?.toUpperCase()}${op.lastState.slice(1)}`;
  return {
    gradOut: source.normal((out as HostTensor).shape),
    [stateName]: source.normal((state as HostTensor).shape),
  };
}

/** Forward results and gradients together. */
export function allResults(op: SequenceOp, inputs: OpInputs, upstream: OpInputs): OpResults {
  return { ...op.forward(inputs), ...op.backward({ ...inputs, ...upstream }) };
}
