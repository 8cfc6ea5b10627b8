/** The inputs of one SSD scan as float64 arrays, and one head of one sequence cut out of them. */
import type { SsdChunkScanInputs } from '../../kernels/ssm-args.js';
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
import type { SsdChunkScanDims } from './shapes.js';

/** Row-major inputs. */
export interface SsdData {
  readonly dims: SsdChunkScanDims;
  /** In the order of the walk, as all arrays with a length. */
  readonly spans: readonly SequenceSpan[];
  readonly padding: readonly StepRange[];
  /** (B, L, H, P) */
  readonly x: Float64Array;
  /** Step before bias, softplus and clamp, (B, L, H). */
  readonly raw: Float64Array;
  readonly stepOptions: StepOptions;
  /** Step after bias, softplus and clamp, (B, L, H). */
  readonly dt: Float64Array;
  /** (H); (H, N) in the diagonal scan. */
  readonly A: Float64Array;
  /** (B, L, G, N) */
  readonly B: Float64Array;
  readonly C: Float64Array;
  /** (H) or (H, P) */
  readonly D: Float64Array | undefined;
  /** (B, L, H, P) */
  readonly z: Float64Array | undefined;
  /** (B, H, P, N) or (S, H, P, N) */
  readonly initialStates: Float64Array | undefined;
}

/** Copies checked inputs to float64. @throws {ArgumentError} for sequence boundaries that do not fit. */
export function loadSsdData(op: string, inputs: SsdChunkScanInputs, dims: SsdChunkScanDims): SsdData {
  const optional = (argument: string, tensor: TensorLike | undefined) =>
    tensor === undefined ? undefined : loadFloat64(op, argument, tensor);
  const { seqLen, nHeads, headDim } = dims;
  const memory = readSequences(op, dims, inputs);
  const { spans, padding } = inWalkingOrder(memory, seqLen, inputs.reverse ?? false);
  // What stands in padding must not reach sums over all steps, not even as NaN.
  const cleared = (argument: string, tensor: TensorLike, width: number) =>
    clearPadding(loadFloat64(op, argument, tensor), padding, seqLen, width);
  const raw = cleared('dt', inputs.dt, nHeads);
  const stepOptions: StepOptions = {
    bias: optional('dtBias', inputs.dtBias),
    softplus: inputs.dtSoftplus ?? false,
    limit: dims.dtLimit,
  };
  return {
    dims,
    spans,
    padding,
    x: cleared('x', inputs.x, nHeads * headDim),
    raw,
    stepOptions,
    dt: stepSizes(raw, nHeads, stepOptions),
    A: loadFloat64(op, 'A', inputs.A),
    B: loadFloat64(op, 'B', inputs.B),
    C: loadFloat64(op, 'C', inputs.C),
    D: optional('D', inputs.D),
    z: inputs.z && cleared('z', inputs.z, nHeads * headDim),
    initialStates: optional('initialStates', inputs.initialStates),
  };
}

/** One head of one sequence: all that the mathematics of SSD needs, contiguous. */
export interface SsdHead {
  readonly steps: number;
  readonly headDim: number;
  readonly dState: number;
  /** (L, P) */
  readonly x: Float64Array;
  /** Steps, (L). */
  readonly dt: Float64Array;
  /** Log decays a = dt A, (L). */
  readonly a: Float64Array;
  /** (L, N) */
  readonly B: Float64Array;
  /** (L, N) */
  readonly C: Float64Array;
  /** State before the first step, (P, N). */
  readonly initial: Float64Array;
}

/** What a form of SSD computes for one head: y without skip and gate, and the last state. */
export interface SsdHeadResult {
  /** (L, P) */
  readonly y: Float64Array;
  /** (P, N) */
  readonly state: Float64Array;
}

/** Cuts head `h` of `span` out of the batch. */
export function cutHead(data: SsdData, span: SequenceSpan, h: number): SsdHead {
  const { nHeads, headDim, dState, nGroups, seqLen } = data.dims;
  const steps = span.end - span.start;
  const first = span.row * seqLen + span.start;
  const group = Math.floor(h / (nHeads / nGroups));
  const dt = new Float64Array(steps);
  const a = new Float64Array(steps);
  const rate = data.A[h] as number;
  for (let t = 0; t < steps; t++) {
    const step = data.dt[(first + t) * nHeads + h] as number;
    dt[t] = step;
    a[t] = step * rate;
  }
  const stateSize = headDim * dState;
  const stateAt = (span.initial * nHeads + h) * stateSize;
  const given = span.initial < 0 ? undefined : data.initialStates;
  return {
    steps,
    headDim,
    dState,
    x: cutRows(data.x, first, steps, nHeads, h, headDim),
    dt,
    a,
    B: cutRows(data.B, first, steps, nGroups, group, dState),
    C: cutRows(data.C, first, steps, nGroups, group, dState),
    initial: given?.slice(stateAt, stateAt + stateSize) ?? new Float64Array(stateSize),
  };
}

/** Entries `index` of the middle axis of (rows, count, width), for `steps` rows from `first`: (steps, width). */
export function cutRows(
  source: Float64Array,
  first: number,
  steps: number,
  count: number,
  index: number,
  width: number,
): Float64Array {
  const rows = new Float64Array(steps * width);
  for (let t = 0; t < steps; t++) {
    const from = ((first + t) * count + index) * width;
    for (let i = 0; i < width; i++) rows[t * width + i] = source[from + i] as number;
  }
  return rows;
}

/** Adds (steps, width) to entries `index` of the middle axis of (rows, count, width); inverse of `cutRows`. */
export function addRows(
  target: Float64Array,
  first: number,
  count: number,
  index: number,
  width: number,
  rows: Float64Array,
): void {
  const steps = width === 0 ? 0 : rows.length / width;
  for (let t = 0; t < steps; t++) {
    const to = ((first + t) * count + index) * width;
    for (let i = 0; i < width; i++) {
      target[to + i] = (target[to + i] as number) + (rows[t * width + i] as number);
    }
  }
}

/** Index in D of channel `p` of head `h`. */
export function skipIndex({ headDim, skipPerChannel }: SsdChunkScanDims, h: number, p: number): number {
  return skipPerChannel ? h * headDim + p : h;
}
