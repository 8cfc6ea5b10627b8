/** The inputs of one selective scan as float64 arrays, and where B and C of a channel lie. */
import type { SelectiveScanInputs } from '../../kernels/ssm-args.js';
import { loadFloat64 } from '../../reference/views.js';
import type { TensorLike } from '../../tensor-like.js';
import {
  clearPadding,
  inWalkingOrder,
  readSequences,
  type SequenceSpan,
  type StepRange,
} from '../sequences.js';
import { type StepOptions, stepSizes } from '../step-size.js';
import type { SelectiveScanDims } from './shapes.js';

/** Row-major inputs; complex ones interleave (re, im). */
export interface ScanData {
  readonly dims: SelectiveScanDims;
  /** In the order of the walk, as all arrays with a length. */
  readonly spans: readonly SequenceSpan[];
  readonly padding: readonly StepRange[];
  /** (B, L, D) */
  readonly u: Float64Array;
  /** Step before bias and softplus, (B, L, D). */
  readonly raw: Float64Array;
  readonly stepOptions: StepOptions;
  /** Step after bias and softplus, (B, L, D). */
  readonly delta: Float64Array;
  /** (D, N) */
  readonly A: Float64Array;
  readonly B: Float64Array;
  readonly C: Float64Array;
  /** (D) */
  readonly D: Float64Array | undefined;
  /** (B, L, D) */
  readonly z: Float64Array | undefined;
  /** (B, D, N) or (S, D, N) */
  readonly initialState: Float64Array | undefined;
}

/** Copies checked inputs to float64. @throws {ArgumentError} for sequence boundaries that do not fit. */
export function loadScanData(op: string, inputs: SelectiveScanInputs, dims: SelectiveScanDims): ScanData {
  const optional = (argument: string, tensor: TensorLike | undefined) =>
    tensor === undefined ? undefined : loadFloat64(op, argument, tensor);
  const { seqLen, dInner } = dims;
  const memory = readSequences(op, dims, inputs);
  const { spans, padding } = inWalkingOrder(memory, seqLen, inputs.reverse ?? false);
  // What stands in padding must not reach sums over all steps, not even as NaN.
  const channels = (argument: string, tensor: TensorLike) =>
    clearPadding(loadFloat64(op, argument, tensor), padding, seqLen, dInner);
  const raw = channels('delta', inputs.delta);
  const stepOptions: StepOptions = {
    bias: optional('deltaBias', inputs.deltaBias),
    softplus: inputs.deltaSoftplus ?? false,
  };
  return {
    dims,
    spans,
    padding,
    u: channels('u', inputs.u),
    raw,
    stepOptions,
    delta: stepSizes(raw, dims.dInner, stepOptions),
    A: loadFloat64(op, 'A', inputs.A),
    B: loadFloat64(op, 'B', inputs.B),
    C: loadFloat64(op, 'C', inputs.C),
    D: optional('D', inputs.D),
    z: inputs.z && channels('z', inputs.z),
    initialState: optional('initialState', inputs.initialState),
  };
}

/** Where the N entries of B or C for one channel begin: at `start + row * stride` for step `row` of B * L. */
export interface ProjectionLayout {
  readonly start: number;
  /** 0 for a constant projection. */
  readonly stride: number;
}

/** Layout of B or C with `groups` groups (0: constant) for channel `d`; `size` array elements hold N entries. */
export function projectionLayout(groups: number, dInner: number, size: number, d: number): ProjectionLayout {
  if (groups === 0) return { start: d * size, stride: 0 };
  const channelsPerGroup = dInner / groups;
  return { start: Math.floor(d / channelsPerGroup) * size, stride: groups * size };
}
