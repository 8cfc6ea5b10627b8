/**
 * Gradients of SSD over a whole batch from those of one head; skip, gate, groups and step sizes are added here:
 *   gradD = sum gradY x     gradA[r] = sum over t of dt[t] gradDecay[t,r]
 *   gradDt = (x . q + A . gradDecay) sigmoid(dtRaw + dtBias)
 * with a zero gradient of dt outside dtLimit, and gradB, gradC summed over the heads of a group. A head has one rate r,
 * or one for each state.
 */
import type { SsdChunkScanInputs } from '../../kernels/ssm-args.js';
import { loadFloat64 } from '../../reference/views.js';
import { type Float64Tensor, float64Tensor } from '../float64-tensor.js';
import { gateGradient, gradientBeforeGate } from '../gate.js';
import { inTime } from '../reverse.js';
import { clearPadding } from '../sequences.js';
import { stepSizesBackward } from '../step-size.js';
import type { SsdHeadGradients } from './chunked-backward.js';
import { addSkip, type CutHead, type HeadForm, ssdSequences } from './heads.js';
import type { SsdChunkScanDims, SsdChunkScanUpstream } from './shapes.js';
import { addRows, cutRows, loadSsdData, type SsdData, type SsdHead, skipIndex } from './ssd-data.js';

/** Gradients of all inputs, each in the shape of its input; those of absent inputs are undefined. */
export interface SsdChunkScanGradients {
  readonly gradX: Float64Tensor;
  readonly gradDt: Float64Tensor;
  readonly gradA: Float64Tensor;
  readonly gradB: Float64Tensor;
  readonly gradC: Float64Tensor;
  readonly gradD: Float64Tensor | undefined;
  readonly gradZ: Float64Tensor | undefined;
  readonly gradDtBias: Float64Tensor | undefined;
  /** Given for absent initial states too: that of zero states. */
  readonly gradInitialStates: Float64Tensor;
}

/** The mathematics of one head, there and back. */
export interface HeadRules {
  readonly cut: CutHead;
  readonly forward: HeadForm;
  /** Gradients of sum(gradY y) + sum(gradState lastState). */
  backward(head: SsdHead, chunkSize: number, gradY: Float64Array, gradState: Float64Array): SsdHeadGradients;
}

/** Runs `rules` on every head of every sequence; `dims` are those of checked inputs. */
export function runHeadsBackward(
  op: string,
  inputs: SsdChunkScanInputs & SsdChunkScanUpstream,
  dims: SsdChunkScanDims,
  rules: HeadRules,
): SsdChunkScanGradients {
  return inTime(
    inputs,
    [...ssdSequences, 'gradOut'],
    ['gradX', 'gradDt', 'gradB', 'gradC', 'gradZ'],
    (given) => runAllBackward(op, given, dims, rules),
  );
}

function runAllBackward(
  op: string,
  inputs: SsdChunkScanInputs & SsdChunkScanUpstream,
  dims: SsdChunkScanDims,
  rules: HeadRules,
): SsdChunkScanGradients {
  const data = loadSsdData(op, inputs, dims);
  const { seqLen, nHeads, headDim, dState, stateRows, chunkSize } = dims;
  const gradOut = loadFloat64(op, 'gradOut', inputs.gradOut);
  clearPadding(gradOut, data.padding, seqLen, nHeads * headDim);
  const gradY = gradientBeforeGate(gradOut, data.z);
  const stateSize = headDim * dState;
  const stateShape = [stateRows, nHeads, headDim, dState];
  const gradFinal = inputs.gradFinalStates && loadFloat64(op, 'gradFinalStates', inputs.gradFinalStates);
  const gradInitial = new Float64Array(stateRows * nHeads * stateSize);
  const sums = gradientArrays(data);
  // Ungated output; only the gate's gradient needs it.
  const y = new Float64Array(data.z === undefined ? 0 : data.x.length);

  for (const span of data.spans) {
    const first = span.row * seqLen + span.start;
    for (let h = 0; h < nHeads; h++) {
      const head = rules.cut(data, span, h);
      const e = cutRows(gradY, first, head.steps, nHeads, h, headDim);
      const gradState = new Float64Array(stateSize);
      if (gradFinal !== undefined && span.final >= 0) {
        const from = (span.final * nHeads + h) * stateSize;
        gradState.set(gradFinal.subarray(from, from + stateSize));
      }
      const gradients = rules.backward(head, chunkSize, e, gradState);
      addSkipBackward(data, head, h, e, gradients.x, sums.D);
      addHeadGradients(data, head, h, first, gradients, sums);
      if (span.initial >= 0) gradInitial.set(gradients.initial, (span.initial * nHeads + h) * stateSize);
      if (data.z !== undefined) {
        const forward = rules.forward(head, chunkSize);
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
    gradInitialStates: float64Tensor(gradInitial, stateShape),
  };
}

/** Gradients of whole inputs, which heads add to; those of A and D as their inputs are shaped. */
interface GradientArrays {
  readonly x: Float64Array;
  /** Of the step after softplus and clamp. */
  readonly dt: Float64Array;
  readonly A: Float64Array;
  readonly B: Float64Array;
  readonly C: Float64Array;
  /** Empty where there is no D. */
  readonly D: Float64Array;
}

function gradientArrays({ x, dt, A, B, C, D }: SsdData): GradientArrays {
  return {
    x: new Float64Array(x.length),
    dt: new Float64Array(dt.length),
    A: new Float64Array(A.length),
    B: new Float64Array(B.length),
    C: new Float64Array(C.length),
    D: new Float64Array(D?.length ?? 0),
  };
}

/** Adds one head's gradients, from row `first` of B * L on. */
function addHeadGradients(
  { dims, A }: SsdData,
  head: SsdHead,
  h: number,
  first: number,
  gradients: SsdHeadGradients,
  sums: GradientArrays,
): void {
  const { nHeads, nGroups, headDim, dState } = dims;
  const group = Math.floor(h / (nHeads / nGroups));
  addRows(sums.x, first, nHeads, h, headDim, gradients.x);
  addRows(sums.B, first, nGroups, group, dState, gradients.B);
  addRows(sums.C, first, nGroups, group, dState, gradients.C);
  const rates = A.length / nHeads;
  for (let t = 0; t < head.steps; t++) {
    let grad = gradients.dt[t] as number;
    for (let r = 0; r < rates; r++) {
      const decay = gradients.a[t * rates + r] as number;
      const at = h * rates + r;
      grad += (A[at] as number) * decay;
      sums.A[at] = (sums.A[at] as number) + (head.dt[t] as number) * decay;
    }
    sums.dt[(first + t) * nHeads + h] = grad;
  }
}

/** Skip connection: gradX += D e, gradD += e x. */
function addSkipBackward(
  { dims, D }: SsdData,
  head: SsdHead,
  h: number,
  e: Float64Array,
  gradX: Float64Array,
  gradD: Float64Array,
): void {
  if (D === undefined) return;
  for (let i = 0; i < e.length; i++) {
    const at = skipIndex(dims, h, i % head.headDim);
    gradX[i] = (gradX[i] as number) + (D[at] as number) * (e[i] as number);
    gradD[at] = (gradD[at] as number) + (e[i] as number) * (head.x[i] as number);
  }
}
