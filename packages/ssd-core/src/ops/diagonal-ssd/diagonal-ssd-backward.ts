/**
 * Backward pass of the diagonal SSD scan in float64, in chunked form. `chunked-backward.ts` holds the mathematics of
 * one head; here skip, gate, groups and step sizes are added:
 *   gradD = sum gradY x     gradA[n] = sum over t of dt[t] gradDecay[t,n]
 *   gradDt = (x . q + A . gradDecay) sigmoid(dtRaw + dtBias)
 * with a zero gradient of dt outside dtLimit, and gradB, gradC summed over the heads of a group.
 */
import type { DiagonalSsdInputs } from '../../kernels/ssm-args.js';
import { loadFloat64 } from '../../reference/views.js';
import { type Float64Tensor, float64Tensor } from '../float64-tensor.js';
import { gateGradient, gradientBeforeGate } from '../gate.js';
import { addSkip } from '../ssd-chunk-scan/ssd-chunk-scan.js';
import {
  addSkipBackward,
  type GradientArrays,
  gradientArrays,
} from '../ssd-chunk-scan/ssd-chunk-scan-backward.js';
import { addRows, cutRows, loadSsdData, type SsdData } from '../ssd-chunk-scan/ssd-data.js';
import { stepSizesBackward } from '../step-size.js';
import { chunkedDiagonalHead } from './chunked.js';
import { chunkedDiagonalHeadBackward, type DiagonalHeadGradients } from './chunked-backward.js';
import { cutDiagonalHead, type DiagonalHead } from './diagonal-head.js';
import { checkDiagonalSsdShapes, checkDiagonalSsdUpstream, type DiagonalSsdUpstream } from './shapes.js';

/** Gradients of all inputs, each in the shape of its input; those of absent inputs are undefined. */
export interface DiagonalSsdGradients {
  readonly gradX: Float64Tensor;
  readonly gradDt: Float64Tensor;
  /** (H, N) */
  readonly gradA: Float64Tensor;
  readonly gradB: Float64Tensor;
  readonly gradC: Float64Tensor;
  readonly gradD: Float64Tensor | undefined;
  readonly gradZ: Float64Tensor | undefined;
  readonly gradDtBias: Float64Tensor | undefined;
  /** Given for absent initial states too: that of zero states. */
  readonly gradInitialStates: Float64Tensor;
}

/**
 * Gradients of sum(gradOut out) + sum(gradFinalStates finalStates) in float64, the oracle of every
 * `diagonalSsdBackward` kernel.
 *
 * gradOut (B, L, H, P); gradFinalStates (B, H, P, N) or packed (S, H, P, N), zero when absent; the rest as in
 * `diagonalSsdRef`.
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming the argument.
 */
export function diagonalSsdBackwardRef(
  inputs: DiagonalSsdInputs & DiagonalSsdUpstream,
): DiagonalSsdGradients {
  const op = 'diagonalSsdBackward';
  const dims = checkDiagonalSsdShapes(op, inputs);
  checkDiagonalSsdUpstream(op, dims, inputs);
  const data = loadSsdData(op, inputs, dims);
  const { seqLen, nHeads, headDim, dState, stateRows, chunkSize } = dims;
  const gradOut = loadFloat64(op, 'gradOut', inputs.gradOut);
  const gradY = gradientBeforeGate(gradOut, data.z);
  const stateSize = headDim * dState;
  const gradStates =
    inputs.gradFinalStates === undefined
      ? new Float64Array(stateRows * nHeads * stateSize)
      : loadFloat64(op, 'gradFinalStates', inputs.gradFinalStates);
  const sums = gradientArrays(data);
  // Ungated output; only the gate's gradient needs it.
  const y = new Float64Array(data.z === undefined ? 0 : data.x.length);

  for (const span of data.spans) {
    const first = span.row * seqLen + span.start;
    for (let h = 0; h < nHeads; h++) {
      const head = cutDiagonalHead(data, span, h);
      const e = cutRows(gradY, first, head.steps, nHeads, h, headDim);
      const stateAt = (span.state * nHeads + h) * stateSize;
      const gradState = gradStates.subarray(stateAt, stateAt + stateSize);
      const gradients = chunkedDiagonalHeadBackward(head, chunkSize, e, gradState);
      addSkipBackward(data, head, h, e, gradients.x, sums.D);
      addHeadGradients(data, head, h, first, gradients, sums);
      gradStates.set(gradients.initial, stateAt);
      if (data.z !== undefined) {
        const forward = chunkedDiagonalHead(head, chunkSize);
        addSkip(data, head, h, forward.y);
        addRows(y, first, nHeads, h, headDim, forward.y);
      }
    }
  }
  const { gradRaw, gradBias } = stepSizesBackward(sums.dt, data.raw, nHeads, data.stepOptions);
  return {
    gradX: float64Tensor(sums.x, inputs.x.shape),
    gradDt: float64Tensor(gradRaw, inputs.dt.shape),
    gradA: float64Tensor(sums.A, inputs.A.shape),
    gradB: float64Tensor(sums.B, inputs.B.shape),
    gradC: float64Tensor(sums.C, inputs.C.shape),
    gradD: inputs.D && float64Tensor(sums.D, inputs.D.shape),
    gradZ: data.z && float64Tensor(gateGradient(gradOut, y, data.z), inputs.x.shape),
    gradDtBias: gradBias && float64Tensor(gradBias, [nHeads]),
    gradInitialStates: float64Tensor(gradStates, [stateRows, nHeads, headDim, dState]),
  };
}

/** Adds one head's gradients, from row `first` of B * L on. */
function addHeadGradients(
  { dims, A }: SsdData,
  head: DiagonalHead,
  h: number,
  first: number,
  gradients: DiagonalHeadGradients,
  sums: GradientArrays,
): void {
  const { nHeads, nGroups, headDim, dState } = dims;
  const group = Math.floor(h / (nHeads / nGroups));
  addRows(sums.x, first, nHeads, h, headDim, gradients.x);
  addRows(sums.B, first, nGroups, group, dState, gradients.B);
  addRows(sums.C, first, nGroups, group, dState, gradients.C);
  for (let t = 0; t < head.steps; t++) {
    let grad = gradients.dt[t] as number;
    for (let n = 0; n < dState; n++) {
      const decay = gradients.a[t * dState + n] as number;
      const at = h * dState + n;
      grad += (A[at] as number) * decay;
      sums.A[at] = (sums.A[at] as number) + (head.dt[t] as number) * decay;
    }
    sums.dt[(first + t) * nHeads + h] = grad;
  }
}
