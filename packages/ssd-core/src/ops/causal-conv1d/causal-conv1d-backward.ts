/**
 * Backward pass of the causal convolution in float64.
 *
 *   e[t] = gradOut[t] SiLU'(pre[t])          gradBias = sum e          gradWeight[w] = sum e[t] x[t - (W-1) + w]
 *   gradX[s] = sum over w of weight[w] e[s + (W-1) - w]
 *
 * The last line at negative times s is the gradient of the initial state; gradFinalStates adds to the last W-1
 * entries of [initial state, x]. `pre` is recomputed, never kept from the forward pass.
 */
import type { CausalConv1dInputs } from '../../kernels/ssm-args.js';
import { loadFloat64 } from '../../reference/views.js';
import { siluDerivative } from '../activations.js';
import { type Float64Tensor, float64Tensor } from '../float64-tensor.js';
import { inTime } from '../reverse.js';
import { convolve, inputLine, loadConvData } from './causal-conv1d.js';
import {
  type CausalConv1dDims,
  type CausalConv1dUpstream,
  checkCausalConv1dShapes,
  checkCausalConv1dUpstream,
} from './shapes.js';

/** Gradients of all inputs, each in the shape of its input; that of an absent bias is undefined. */
export interface CausalConv1dGradients {
  readonly gradX: Float64Tensor;
  readonly gradWeight: Float64Tensor;
  readonly gradBias: Float64Tensor | undefined;
  /** Given for absent initial states too: that of zero states. */
  readonly gradInitialStates: Float64Tensor;
}

/**
 * Gradients of sum(gradOut out) + sum(gradFinalStates finalStates) in float64, the oracle of every
 * `causalConv1dBackward` kernel.
 *
 * gradOut (B, L, D); gradFinalStates (B, D, W-1) or packed (S, D, W-1), zero when absent.
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming the argument.
 */
export function causalConv1dBackwardRef(
  inputs: CausalConv1dInputs & CausalConv1dUpstream,
): CausalConv1dGradients {
  const op = 'causalConv1dBackward';
  const dims = checkCausalConv1dShapes(op, inputs);
  checkCausalConv1dUpstream(op, dims, inputs);
  return inTime(inputs, ['x', 'gradOut'], ['gradX'], (given) => convolveAllBackward(op, given, dims));
}

function convolveAllBackward(
  op: string,
  inputs: CausalConv1dInputs & CausalConv1dUpstream,
  dims: CausalConv1dDims,
): CausalConv1dGradients {
  const data = loadConvData(op, inputs, dims);
  const { seqLen, dim, width, stateRows } = dims;
  const before = width - 1;
  const gradOut = loadFloat64(op, 'gradOut', inputs.gradOut);
  const { gradFinalStates } = inputs;
  const upstreamStates = gradFinalStates && loadFloat64(op, 'gradFinalStates', gradFinalStates);
  const gradX = new Float64Array(gradOut.length);
  const gradWeight = new Float64Array(data.weight.length);
  const gradBias = new Float64Array(dim);
  const gradInitial = new Float64Array(stateRows * dim * before);
  const pre = new Float64Array(data.silu ? gradOut.length : 0);

  for (const span of data.spans) {
    for (let d = 0; d < dim; d++) {
      const line = inputLine(data, span, d);
      const first = (span.row * seqLen + span.start) * dim + d;
      if (data.silu) convolve(data, line, d, first, pre);
      // Gradient of [initial state, x], so that both ends need no special case.
      const gradLine = new Float64Array(line.length);
      const steps = span.end - span.start;
      if (upstreamStates !== undefined && span.final >= 0) {
        const from = (span.final * dim + d) * before;
        gradLine.set(upstreamStates.subarray(from, from + before), steps);
      }
      for (let t = 0; t < steps; t++) {
        const at = first + t * dim;
        const slope = data.silu ? siluDerivative(pre[at] as number) : 1;
        const e = (gradOut[at] as number) * slope;
        gradBias[d] = (gradBias[d] as number) + e;
        for (let w = 0; w < width; w++) {
          const tap = d * width + w;
          gradWeight[tap] = (gradWeight[tap] as number) + e * (line[t + w] as number);
          gradLine[t + w] = (gradLine[t + w] as number) + e * (data.weight[tap] as number);
        }
      }
      if (span.initial >= 0) {
        gradInitial.set(gradLine.subarray(0, before), (span.initial * dim + d) * before);
      }
      for (let t = 0; t < steps; t++) gradX[first + t * dim] = gradLine[before + t] as number;
    }
  }
  return {
    gradX: float64Tensor(gradX, inputs.x.shape),
    gradWeight: float64Tensor(gradWeight, inputs.weight.shape),
    gradBias: data.bias && float64Tensor(gradBias, [dim]),
    gradInitialStates: float64Tensor(gradInitial, [stateRows, dim, before]),
  };
}
