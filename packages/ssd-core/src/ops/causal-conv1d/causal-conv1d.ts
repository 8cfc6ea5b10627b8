/**
 * Causal depthwise convolution along the sequence, in float64.
 *
 *   pre[t] = bias + sum over w < W of weight[w] x[t - (W-1) + w]        (for each channel)
 *   out[t] = SiLU(pre[t]) or pre[t]
 *
 * x at negative times is the initial state, zero when absent. The final state is the last W-1 inputs, which
 * reach back into the initial state of a sequence shorter than that.
 * Source: Dao-AILab/causal-conv1d, the short convolution in front of the scan of Mamba (arXiv:2312.00752).
 */
import type { CausalConv1dInputs } from '../../kernels/ssm-args.js';
import { loadFloat64 } from '../../reference/views.js';
import { silu } from '../activations.js';
import { type Float64Tensor, float64Tensor } from '../float64-tensor.js';
import { inTime } from '../reverse.js';
import { inWalkingOrder, readSequences, type SequenceSpan } from '../sequences.js';
import { type CausalConv1dDims, checkCausalConv1dShapes } from './shapes.js';

/** Result of the forward pass. */
export interface CausalConv1dResult {
  /** (B, L, D) */
  readonly out: Float64Tensor;
  /** Last W-1 inputs, oldest first, (B, D, W-1) or (S, D, W-1). */
  readonly finalStates: Float64Tensor;
}

/**
 * Causal depthwise convolution in float64, the oracle of every `causalConv1d` kernel.
 *
 * x (B, L, D); weight (D, W), W >= 2; bias (D); initialStates (B, D, W-1) or packed (S, D, W-1), oldest first.
 * @returns out (B, L, D) and finalStates (B, D, W-1).
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming the argument.
 * @example
 * const x = { data: Float64Array.of(1, 2, 3), shape: [1, 3, 1] };
 * const weight = { data: Float64Array.of(10, 1), shape: [1, 2] };
 * causalConv1dRef({ x, weight }).out.data; // 1, 12, 23
 */
export function causalConv1dRef(inputs: CausalConv1dInputs): CausalConv1dResult {
  const op = 'causalConv1d';
  const dims = checkCausalConv1dShapes(op, inputs);
  return inTime(inputs, ['x'], ['out'], (given) => convolveAll(op, given, dims));
}

function convolveAll(op: string, inputs: CausalConv1dInputs, dims: CausalConv1dDims): CausalConv1dResult {
  const data = loadConvData(op, inputs, dims);
  const { batch, seqLen, dim, width, stateRows } = dims;
  const out = new Float64Array(batch * seqLen * dim);
  const finalStates = new Float64Array(stateRows * dim * (width - 1));
  for (const span of data.spans) {
    for (let d = 0; d < dim; d++) {
      const line = inputLine(data, span, d);
      convolve(data, line, d, (span.row * seqLen + span.start) * dim + d, out);
      if (span.final < 0) continue;
      const last = line.subarray(span.end - span.start);
      finalStates.set(last, (span.final * dim + d) * (width - 1));
    }
  }
  if (data.silu) for (let i = 0; i < out.length; i++) out[i] = silu(out[i] as number);
  return {
    out: float64Tensor(out, [batch, seqLen, dim]),
    finalStates: float64Tensor(finalStates, [stateRows, dim, width - 1]),
  };
}

/** The inputs of one convolution as float64 arrays. */
export interface ConvData {
  readonly dims: CausalConv1dDims;
  /** In the order of the walk, as x. */
  readonly spans: readonly SequenceSpan[];
  /** (B, L, D) */
  readonly x: Float64Array;
  /** (D, W) */
  readonly weight: Float64Array;
  /** (D) */
  readonly bias: Float64Array | undefined;
  readonly silu: boolean;
  /** (B, D, W-1) or (S, D, W-1) */
  readonly initialStates: Float64Array | undefined;
}

/** Copies checked inputs to float64. @throws {ArgumentError} for sequence boundaries that do not fit. */
export function loadConvData(op: string, inputs: CausalConv1dInputs, dims: CausalConv1dDims): ConvData {
  const { bias, initialStates } = inputs;
  const sequences = readSequences(op, dims, inputs);
  return {
    dims,
    spans: inWalkingOrder(sequences, dims.seqLen, inputs.reverse ?? false).spans,
    x: loadFloat64(op, 'x', inputs.x),
    weight: loadFloat64(op, 'weight', inputs.weight),
    bias: bias && loadFloat64(op, 'bias', bias),
    silu: inputs.activation === 'silu',
    initialStates: initialStates && loadFloat64(op, 'initialStates', initialStates),
  };
}

/** One channel of one sequence with its W-1 earlier inputs in front, (W-1 + steps). */
export function inputLine({ dims, x, initialStates }: ConvData, span: SequenceSpan, d: number): Float64Array {
  const { seqLen, dim, width } = dims;
  const before = width - 1;
  const steps = span.end - span.start;
  const line = new Float64Array(before + steps);
  if (initialStates !== undefined && span.initial >= 0) {
    const from = (span.initial * dim + d) * before;
    line.set(initialStates.subarray(from, from + before));
  }
  const first = (span.row * seqLen + span.start) * dim + d;
  for (let t = 0; t < steps; t++) line[before + t] = x[first + t * dim] as number;
  return line;
}

/** Writes `pre` of one channel into `target`, from element `first` on, one row of D channels per step. */
export function convolve(
  { dims, weight, bias }: ConvData,
  line: Float64Array,
  d: number,
  first: number,
  target: Float64Array,
): void {
  const { dim, width } = dims;
  const steps = line.length - (width - 1);
  const offset = bias?.[d] ?? 0;
  for (let t = 0; t < steps; t++) {
    let pre = offset;
    for (let w = 0; w < width; w++) pre += (weight[d * width + w] as number) * (line[t + w] as number);
    target[first + t * dim] = pre;
  }
}
