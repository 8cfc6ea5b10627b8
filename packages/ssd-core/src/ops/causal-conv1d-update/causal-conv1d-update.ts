/**
 * One or more decode steps of the causal convolution, in float64.
 *
 * The steps continue the sequence whose last inputs `convState` holds:
 *   out[t] = activation(bias + sum over w < W of weight[w] x[t - (W-1) + w])
 * A shifting state keeps its S latest inputs, oldest first. With `cacheSeqlens` it is a ring buffer instead:
 * input number k of the sequence lies in column k mod S, and steps cacheSeqlens, cacheSeqlens + 1 ... follow.
 * Source: Dao-AILab/causal-conv1d, `causal_conv1d_update`.
 */
import { loadFloat64 } from '../../reference/views.js';
import { silu } from '../activations.js';
import { type Float64Tensor, float64Tensor } from '../float64-tensor.js';
import { readStateIndices } from '../state-indices.js';
import { type CausalConv1dUpdateInputs, checkCausalConv1dUpdateShapes, readCacheSeqlens } from './shapes.js';

/** Result of a decode step; the state given in is left as it was. */
export interface CausalConv1dUpdateResult {
  /** Shape of `x`. */
  readonly out: Float64Tensor;
  /** The state after the steps, in the shape of `convState`. */
  readonly convState: Float64Tensor;
}

/**
 * Decode steps of the causal convolution in float64, the oracle of every `causalConv1dUpdate` kernel.
 *
 * x (B, D) or (B, L, D); convState (B, D, S), S >= W-1; weight (D, W); bias (D); cacheSeqlens,
 * convStateIndices (B). A negative state index marks padding: its output is 0 and no state changes.
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming the argument.
 */
export function causalConv1dUpdateRef(inputs: CausalConv1dUpdateInputs): CausalConv1dUpdateResult {
  const op = 'causalConv1dUpdate';
  const dims = checkCausalConv1dUpdateShapes(op, inputs);
  const rowOf = readStateIndices(op, 'convStateIndices', inputs.convStateIndices, dims.batch, dims.stateRows);
  const written = readCacheSeqlens(op, inputs.cacheSeqlens);
  const { batch, seqLen, dim, width, stateLen } = dims;
  const x = loadFloat64(op, 'x', inputs.x);
  const state = loadFloat64(op, 'convState', inputs.convState);
  const weight = loadFloat64(op, 'weight', inputs.weight);
  const bias = inputs.bias && loadFloat64(op, 'bias', inputs.bias);
  const out = new Float64Array(x.length);
  const before = width - 1;
  const line = new Float64Array(before + seqLen);
  for (let b = 0; b < batch; b++) {
    const row = rowOf[b] as number;
    if (row < 0) continue;
    for (let d = 0; d < dim; d++) {
      const columns = state.subarray((row * dim + d) * stateLen, (row * dim + d + 1) * stateLen);
      const first = b * seqLen * dim + d;
      for (let k = 0; k < before; k++) {
        line[k] = columns[historyColumn(k - before, stateLen, written?.[b])] as number;
      }
      for (let t = 0; t < seqLen; t++) line[before + t] = x[first + t * dim] as number;
      for (let t = 0; t < seqLen; t++) {
        let pre = bias?.[d] ?? 0;
        for (let w = 0; w < width; w++) pre += (weight[d * width + w] as number) * (line[t + w] as number);
        out[first + t * dim] = inputs.activation === 'silu' ? silu(pre) : pre;
      }
      remember(columns, line.subarray(before), written?.[b]);
    }
  }
  return {
    out: float64Tensor(out, inputs.x.shape),
    convState: float64Tensor(state, inputs.convState.shape),
  };
}

/** Column of the input `age` steps from now (-1: the latest one). */
function historyColumn(age: number, stateLen: number, written: number | undefined): number {
  if (written === undefined) return stateLen + age;
  // Columns before the first written step hold whatever the caller put there, as upstream: zeros at first.
  return (((written + age) % stateLen) + stateLen) % stateLen;
}

/** Takes new inputs into the state: shifted in, or written round the ring, the latest one last. */
function remember(columns: Float64Array, inputs: Float64Array, written: number | undefined): void {
  const stateLen = columns.length;
  if (written !== undefined) {
    for (let t = 0; t < inputs.length; t++) columns[(written + t) % stateLen] = inputs[t] as number;
    return;
  }
  const kept = Math.max(stateLen - inputs.length, 0);
  columns.copyWithin(0, stateLen - kept);
  columns.set(inputs.subarray(inputs.length - (stateLen - kept)), kept);
}
