/**
 * One decode step of Mamba-1 or Mamba-2, in float64.
 *
 *   dt = clamp(softplus(dtRaw + dtBias), dtLimit)
 *   h <- exp(dt A) h + dt x B          out = (<C, h> + D x) SiLU(z)
 *
 * One step of `selectiveScanRef`, or of `ssdChunkScanRef` with A, dt and D tied over the channels of a head.
 * Source: Gu & Dao 2023, arXiv:2312.00752; state-spaces/mamba, `selective_state_update`.
 */
import { loadFloat64 } from '../../reference/views.js';
import { silu, softplus } from '../activations.js';
import { type Float64Tensor, float64Tensor } from '../float64-tensor.js';
import { readStateIndices } from '../state-indices.js';
import { clampStep } from '../step-size.js';
import {
  checkSelectiveStateUpdateShapes,
  type SelectiveStateUpdateDims,
  type SelectiveStateUpdateInputs,
} from './shapes.js';

/** Result of a decode step; the state given in is left as it was. */
export interface SelectiveStateUpdateResult {
  /** Shape of `x`. */
  readonly out: Float64Tensor;
  /** The state after the step, in the shape of `state`. */
  readonly state: Float64Tensor;
}

/**
 * One decode step in float64, the oracle of every `selectiveStateUpdate` kernel.
 *
 * Mamba-1: state (B, D, N); x, dt, z (B, D); A (D, N); B, C (B, N) or (B, G, N); D, dtBias (D).
 * Mamba-2: state (B, H, P, N); x, z (B, H, P); dt (B, H) or (B, H, P); A (H) or (H, P, N); B, C (B, G, N); D,
 * dtBias (H) or (H, P). stateBatchIndices (B): the state's row for each sequence; a negative one marks padding,
 * whose output is 0 and which changes no state.
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming the argument.
 * @example
 * const one = { data: Float64Array.of(1), shape: [1, 1] };
 * const state = { data: Float64Array.of(1), shape: [1, 1, 1] };
 * const A = { data: Float64Array.of(-1), shape: [1, 1] };
 * selectiveStateUpdateRef({ state, x: one, dt: one, A, B: one, C: one }).out.data; // exp(-1) + 1
 */
export function selectiveStateUpdateRef(inputs: SelectiveStateUpdateInputs): SelectiveStateUpdateResult {
  const op = 'selectiveStateUpdate';
  const dims = checkSelectiveStateUpdateShapes(op, inputs);
  const { batch, nHeads, headDim, stateRows } = dims;
  const rowOf = readStateIndices(op, 'stateBatchIndices', inputs.stateBatchIndices, batch, stateRows);
  const data: StepData = {
    dims,
    softplus: inputs.dtSoftplus ?? false,
    state: loadFloat64(op, 'state', inputs.state),
    x: loadFloat64(op, 'x', inputs.x),
    dt: loadFloat64(op, 'dt', inputs.dt),
    A: loadFloat64(op, 'A', inputs.A),
    B: loadFloat64(op, 'B', inputs.B),
    C: loadFloat64(op, 'C', inputs.C),
    D: inputs.D && loadFloat64(op, 'D', inputs.D),
    z: inputs.z && loadFloat64(op, 'z', inputs.z),
    dtBias: inputs.dtBias && loadFloat64(op, 'dtBias', inputs.dtBias),
  };
  const out = new Float64Array(data.x.length);
  for (let b = 0; b < batch; b++) {
    const row = rowOf[b] as number;
    if (row < 0) continue;
    for (let h = 0; h < nHeads; h++) {
      for (let p = 0; p < headDim; p++) {
        out[(b * nHeads + h) * headDim + p] = updateChannel(data, b, row, h, p);
      }
    }
  }
  return {
    out: float64Tensor(out, inputs.x.shape),
    state: float64Tensor(data.state, inputs.state.shape),
  };
}

/** Row-major inputs; the state is changed in place. */
interface StepData {
  readonly dims: SelectiveStateUpdateDims;
  readonly softplus: boolean;
  readonly state: Float64Array;
  readonly x: Float64Array;
  readonly dt: Float64Array;
  readonly A: Float64Array;
  readonly B: Float64Array;
  readonly C: Float64Array;
  readonly D: Float64Array | undefined;
  readonly z: Float64Array | undefined;
  readonly dtBias: Float64Array | undefined;
}

/** Updates the state of one channel of sequence `b`, in row `row` of the state; returns its output. */
function updateChannel(data: StepData, b: number, row: number, h: number, p: number): number {
  const { dims, state, A, B, C, D, z } = data;
  const { nHeads, headDim, dState, nGroups } = dims;
  const channel = h * headDim + p;
  const at = b * nHeads * headDim + channel;
  const input = data.x[at] as number;
  const dt = stepSize(data, b, h, channel);
  const drive = dt * input;
  const first = (row * nHeads * headDim + channel) * dState;
  const group = (b * nGroups + Math.floor(h / (nHeads / nGroups))) * dState;
  let y = 0;
  for (let n = 0; n < dState; n++) {
    const rate = A[dims.fullA ? channel * dState + n : h] as number;
    const next = Math.exp(dt * rate) * (state[first + n] as number) + drive * (B[group + n] as number);
    state[first + n] = next;
    y += (C[group + n] as number) * next;
  }
  if (D !== undefined) y += (D[dims.skipPerChannel ? channel : h] as number) * input;
  return z === undefined ? y : y * silu(z[at] as number);
}

function stepSize(
  { dims, dt, dtBias, softplus: on }: StepData,
  b: number,
  h: number,
  channel: number,
): number {
  const { nHeads, headDim, dtLimit } = dims;
  const raw = dt[dims.dtPerChannel ? b * nHeads * headDim + channel : b * nHeads + h] as number;
  const bias = dtBias === undefined ? 0 : (dtBias[dims.dtBiasPerChannel ? channel : h] as number);
  const step = on ? softplus(raw + bias) : raw + bias;
  return clampStep(step, dtLimit);
}
