/**
 * Backward pass of the selective scan in float64.
 *
 * With p[t] = exp(delta[t] A) h[t-1], R[L] = gradLastState and gradY = gradOut SiLU(z), for t = L ... 1:
 *   g = kappa gradY[t] C[t]* + R[t]                     gradient of h[t]
 *   gradU = D gradY + delta Re <g, B*>                  gradDelta = u Re <g, B*> + Re <g, A* p*>
 *   gradA += delta g p*     gradB += delta u g          gradC += kappa gradY h[t]*
 *   R[t-1] = exp(delta A)* g                            gradInitialState = R[0]
 * A star is the complex conjugate; complex gradients are dL/dRe + i dL/dIm.
 *
 * The states are recomputed channel by channel, so that memory stays (L + 1) N numbers. p is formed as the
 * product exp(delta A) h[t-1]; as the difference h[t] - delta u B it would lose its digits where it is small.
 */
import type { SelectiveScanInputs } from '../../kernels/ssm-args.js';
import { loadFloat64 } from '../../reference/views.js';
import type { TensorLike } from '../../tensor-like.js';
import { type Float64Tensor, float64Tensor } from '../float64-tensor.js';
import { gateGradient, gradientBeforeGate } from '../gate.js';
import { inTime } from '../reverse.js';
import { clearPadding, type SequenceSpan } from '../sequences.js';
import { stepSizesBackward } from '../step-size.js';
import { loadScanData, projectionLayout, type ScanData } from './scan-data.js';
import { initialState, scanChannel, scanSequences, stateSize } from './selective-scan.js';
import {
  checkSelectiveScanShapes,
  checkSelectiveScanUpstream,
  type SelectiveScanDims,
  type SelectiveScanUpstream,
} from './shapes.js';
import { complexStepBackward, realStepBackward, type StepPlace } from './step-backward.js';

/** Gradients of all inputs, each in the shape of its input; those of absent inputs are undefined. */
export interface SelectiveScanGradients {
  readonly gradU: Float64Tensor;
  readonly gradDelta: Float64Tensor;
  readonly gradA: Float64Tensor;
  readonly gradB: Float64Tensor;
  readonly gradC: Float64Tensor;
  readonly gradD: Float64Tensor | undefined;
  readonly gradZ: Float64Tensor | undefined;
  readonly gradDeltaBias: Float64Tensor | undefined;
  /** Given for an absent initial state too: that of a zero state. */
  readonly gradInitialState: Float64Tensor;
}

/**
 * Gradients of sum(gradOut out) + sum(Re(conj(gradLastState) lastState)) in float64, the oracle of every
 * `selectiveScanBackward` kernel.
 *
 * gradOut (B, L, D); gradLastState (B, D, N) or packed (S, D, N), zero when absent; the rest as in
 * `selectiveScanRef`.
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming the argument.
 */
export function selectiveScanBackwardRef(
  inputs: SelectiveScanInputs & SelectiveScanUpstream,
): SelectiveScanGradients {
  const op = 'selectiveScanBackward';
  const dims = checkSelectiveScanShapes(op, inputs);
  checkSelectiveScanUpstream(op, dims, inputs);
  const outputs: (keyof SelectiveScanGradients)[] = ['gradU', 'gradDelta', 'gradZ'];
  if (dims.groupsB > 0) outputs.push('gradB');
  if (dims.groupsC > 0) outputs.push('gradC');
  return inTime(inputs, [...scanSequences(dims), 'gradOut'], outputs, (given) =>
    scanAllBackward(op, given, dims),
  );
}

function scanAllBackward(
  op: string,
  inputs: SelectiveScanInputs & SelectiveScanUpstream,
  dims: SelectiveScanDims,
): SelectiveScanGradients {
  const data = loadScanData(op, inputs, dims);
  const gradOut = loadFloat64(op, 'gradOut', inputs.gradOut);
  clearPadding(gradOut, data.padding, dims.seqLen, dims.dInner);
  const { gradLastState } = inputs;
  const gradLast = gradLastState && loadFloat64(op, 'gradLastState', gradLastState);
  const gradInitial = new Float64Array(dims.stateRows * dims.dInner * stateSize(dims));

  const gradients: ScanGradientArrays = {
    gradY: gradientBeforeGate(gradOut, data.z),
    gradLast,
    gradInitial,
    y: new Float64Array(data.u.length),
    u: new Float64Array(data.u.length),
    step: new Float64Array(data.u.length),
    A: new Float64Array(data.A.length),
    B: new Float64Array(data.B.length),
    C: new Float64Array(data.C.length),
  };
  for (const span of data.spans) {
    for (let d = 0; d < dims.dInner; d++) channelBackward(data, span, d, gradients);
  }
  const { gradRaw, gradBias } = stepSizesBackward(gradients.step, data.raw, dims.dInner, data.stepOptions);
  const like = (data: Float64Array, tensor: TensorLike, complex: boolean) =>
    float64Tensor(data, tensor.shape, complex ? 'c128' : 'f64');
  const channels = [dims.dInner];
  return {
    gradU: like(gradients.u, inputs.u, false),
    gradDelta: like(gradRaw, inputs.u, false),
    gradA: like(gradients.A, inputs.A, dims.complex),
    gradB: like(gradients.B, inputs.B, dims.complex),
    gradC: like(gradients.C, inputs.C, dims.complex),
    gradD: data.D && float64Tensor(skipGradient(data, gradients.gradY), channels),
    gradZ: data.z && like(gateGradient(gradOut, gradients.y, data.z), inputs.u, false),
    gradDeltaBias: gradBias && float64Tensor(gradBias, channels),
    gradInitialState: float64Tensor(
      gradInitial,
      [dims.stateRows, dims.dInner, dims.dState, ...(dims.complex ? [2] : [])],
      dims.complex ? 'c128' : 'f64',
    ),
  };
}

/** Arrays the channels add to, or fill. */
interface ScanGradientArrays {
  /** Gradient of the ungated output, (B, L, D), read only. */
  readonly gradY: Float64Array;
  /** Of the last states, read only; absent: zero. */
  readonly gradLast: Float64Array | undefined;
  readonly gradInitial: Float64Array;
  /** Ungated output, recomputed, (B, L, D). */
  readonly y: Float64Array;
  readonly u: Float64Array;
  /** Gradient of the step after softplus, (B, L, D). */
  readonly step: Float64Array;
  readonly A: Float64Array;
  readonly B: Float64Array;
  readonly C: Float64Array;
}

/** Recomputes one channel's states, then walks back over them. */
function channelBackward(data: ScanData, span: SequenceSpan, d: number, gradients: ScanGradientArrays): void {
  const { dims, u, delta, D } = data;
  const { seqLen, dInner } = dims;
  const size = stateSize(dims);
  const history = new Float64Array((span.end - span.start + 1) * size);
  scanChannel(data, span, d, initialState(data, span, d), gradients.y, history);

  // R, the gradient of the state: of the last one at first, of the initial one at the end.
  const R = new Float64Array(size);
  if (gradients.gradLast !== undefined && span.final >= 0) {
    const last = (span.final * dInner + d) * size;
    R.set(gradients.gradLast.subarray(last, last + size));
  }
  const layoutB = projectionLayout(dims.groupsB, dInner, size, d);
  const layoutC = projectionLayout(dims.groupsC, dInner, size, d);
  const stepBackward = dims.complex ? complexStepBackward : realStepBackward;
  const skip = D?.[d] ?? 0;
  const place: StepPlace = { fromA: d * size, fromB: 0, fromC: 0, before: 0, delta: 0, u: 0, gradY: 0 };
  for (let t = span.end - 1; t >= span.start; t--) {
    const row = span.row * seqLen + t;
    const at = row * dInner + d;
    place.fromB = layoutB.start + row * layoutB.stride;
    place.fromC = layoutC.start + row * layoutC.stride;
    place.before = (t - span.start) * size;
    place.delta = delta[at] as number;
    place.u = u[at] as number;
    place.gradY = gradients.gradY[at] as number;
    const { alongB, alongA } = stepBackward(data, history, place, R, gradients);
    gradients.u[at] = skip * place.gradY + place.delta * alongB;
    gradients.step[at] = place.u * alongB + alongA;
  }
  if (span.initial >= 0) gradients.gradInitial.set(R, (span.initial * dInner + d) * size);
}

/** gradD = sum over batch and steps of gradY u. */
function skipGradient({ dims, u }: ScanData, gradY: Float64Array): Float64Array {
  const gradD = new Float64Array(dims.dInner);
  for (let i = 0; i < u.length; i++) {
    const d = i % dims.dInner;
    gradD[d] = (gradD[d] as number) + (gradY[i] as number) * (u[i] as number);
  }
  return gradD;
}
