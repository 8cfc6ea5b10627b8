/**
 * Selective scan, the recurrence of Mamba-1, one step after another in float64.
 *
 *   h[t] = exp(delta[t] A) h[t-1] + delta[t] u[t] B[t]        (for each channel d and state n)
 *   y[t] = kappa Re <C[t], h[t]> + D u[t]                     (kappa = 1 real, 2 complex)
 *   out[t] = y[t] SiLU(z[t])
 *
 * Source: Gu & Dao 2023, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces", arXiv:2312.00752,
 * Algorithm 2 (A by zero-order hold, B by Euler). A complex A stands for conjugate pairs, of which one half is
 * kept: hence the factor 2.
 */
import type { SelectiveScanInputs } from '../../kernels/ssm-args.js';
import { type Float64Tensor, float64Tensor } from '../float64-tensor.js';
import { applyGate } from '../gate.js';
import { inTime } from '../reverse.js';
import type { SequenceSpan } from '../sequences.js';
import { loadScanData, projectionLayout, type ScanData } from './scan-data.js';
import {
  checkSelectiveScanShapes,
  type SelectiveScanDims,
  selectiveScanCheckpointShape,
  selectiveScanCheckpointSteps,
} from './shapes.js';

/** Result of the forward pass. */
export interface SelectiveScanResult {
  /** (B, L, D) */
  readonly out: Float64Tensor;
  /** State after the last step, (B, D, N) or (S, D, N); complex with a last axis of 2. */
  readonly lastState: Float64Tensor;
  /** State before every 16th step of every sequence, (R, N, D); where they were asked for. */
  readonly checkpoints?: Float64Tensor;
}

/**
 * Selective scan in float64, the oracle of every `selectiveScan` kernel.
 *
 * u, delta, z (B, L, D); A (D, N); B, C (B, L, N), (B, L, G, N) or constant (D, N); D, deltaBias (D); complex
 * A, B, C with a last axis of 2. `delta` is a step in units of 1/|A|, before bias and softplus.
 * @returns out (B, L, D) and lastState (B, D, N).
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming the argument.
 * @example
 * const ones = { data: Float64Array.of(1, 1), shape: [1, 2, 1] };
 * const A = { data: Float64Array.of(-1), shape: [1, 1] };
 * selectiveScanRef({ u: ones, delta: ones, A, B: ones, C: ones }).out.data; // 1, 1 + exp(-1)
 */
export function selectiveScanRef(
  inputs: SelectiveScanInputs,
  { withCheckpoints = false }: { readonly withCheckpoints?: boolean } = {},
): SelectiveScanResult {
  const op = 'selectiveScan';
  const dims = checkSelectiveScanShapes(op, inputs);
  const checkpoints = withCheckpoints ? zeros(selectiveScanCheckpointShape(op, dims, inputs)) : undefined;
  return inTime(inputs, scanSequences(dims), ['out'], (given) => scanAll(op, given, dims, checkpoints));
}

function zeros(shape: readonly [number, number, number]): Float64Tensor {
  return float64Tensor(new Float64Array(shape[0] * shape[1] * shape[2]), shape);
}

/** Names of the inputs that have a length. */
export function scanSequences({ groupsB, groupsC }: SelectiveScanDims): ('u' | 'delta' | 'z' | 'B' | 'C')[] {
  return ['u', 'delta', 'z', ...(groupsB > 0 ? ['B' as const] : []), ...(groupsC > 0 ? ['C' as const] : [])];
}

function scanAll(
  op: string,
  inputs: SelectiveScanInputs,
  dims: SelectiveScanDims,
  checkpoints: Float64Tensor | undefined,
): SelectiveScanResult {
  const data = loadScanData(op, inputs, dims);
  const y = new Float64Array(data.u.length);
  const size = stateSize(dims);
  const states = new Float64Array(dims.stateRows * dims.dInner * size);
  let chunks = 0;
  // Checkpoints follow one another in the order of the walk.
  for (const span of [...data.spans].sort((a, b) => a.row - b.row || a.start - b.start)) {
    for (let d = 0; d < dims.dInner; d++) {
      const state = initialState(data, span, d);
      const history = checkpoints && new Float64Array((span.end - span.start + 1) * size);
      scanChannel(data, span, d, state, y, history);
      if (checkpoints && history) keepCheckpoints(checkpoints.data, dims, chunks, d, history);
      if (span.final >= 0) states.set(state, (span.final * dims.dInner + d) * size);
    }
    chunks += Math.ceil((span.end - span.start) / selectiveScanCheckpointSteps);
  }
  applyGate(y, data.z);
  const { batch, seqLen, dInner, dState, complex } = dims;
  return {
    out: float64Tensor(y, [batch, seqLen, dInner]),
    lastState: complex
      ? float64Tensor(states, [dims.stateRows, dInner, dState, 2], 'c128')
      : float64Tensor(states, [dims.stateRows, dInner, dState]),
    ...(checkpoints && { checkpoints }),
  };
}

/** Every 16th state of channel `d` into rows from `chunk` on. */
function keepCheckpoints(
  checkpoints: Float64Array,
  { dInner, dState }: SelectiveScanDims,
  chunk: number,
  d: number,
  history: Float64Array,
): void {
  const every = selectiveScanCheckpointSteps * dState;
  for (let from = 0, row = chunk; from + dState < history.length; from += every, row++) {
    for (let n = 0; n < dState; n++) {
      checkpoints[(row * dState + n) * dInner + d] = history[from + n] as number;
    }
  }
}

/** Array elements of one channel's state. */
export function stateSize({ dState, complex }: SelectiveScanDims): number {
  return complex ? 2 * dState : dState;
}

/** The state of channel `d` before the first step of `span`, as a fresh array. */
export function initialState({ dims, initialState }: ScanData, span: SequenceSpan, d: number): Float64Array {
  const size = stateSize(dims);
  if (initialState === undefined || span.initial < 0) return new Float64Array(size);
  const first = (span.initial * dims.dInner + d) * size;
  return initialState.slice(first, first + size);
}

/**
 * Scans channel `d` of one sequence: `state` goes from its first to its last value, the ungated outputs go
 * into `y`. `history` receives the state before the first step and after each, (steps + 1, N).
 */
export function scanChannel(
  data: ScanData,
  span: SequenceSpan,
  d: number,
  state: Float64Array,
  y: Float64Array,
  history?: Float64Array,
): void {
  const { dims, u, delta, D } = data;
  const { seqLen, dInner } = dims;
  const size = stateSize(dims);
  const layoutB = projectionLayout(dims.groupsB, dInner, size, d);
  const layoutC = projectionLayout(dims.groupsC, dInner, size, d);
  const step = dims.complex ? complexStep : realStep;
  const skip = D?.[d] ?? 0;
  history?.set(state, 0);
  for (let t = span.start; t < span.end; t++) {
    const row = span.row * seqLen + t;
    const at = row * dInner + d;
    const input = u[at] as number;
    const fromB = layoutB.start + row * layoutB.stride;
    const fromC = layoutC.start + row * layoutC.stride;
    y[at] = step(data, d * size, fromB, fromC, delta[at] as number, input, state) + skip * input;
    history?.set(state, (t - span.start + 1) * size);
  }
}

/** One step of a real channel; returns <C, h>. */
function realStep(
  { A, B, C }: ScanData,
  fromA: number,
  fromB: number,
  fromC: number,
  delta: number,
  u: number,
  h: Float64Array,
): number {
  const drive = delta * u;
  let y = 0;
  for (let n = 0; n < h.length; n++) {
    const decay = Math.exp(delta * (A[fromA + n] as number));
    const next = decay * (h[n] as number) + drive * (B[fromB + n] as number);
    h[n] = next;
    y += (C[fromC + n] as number) * next;
  }
  return y;
}

/** One step of a complex channel, (re, im) interleaved; returns 2 Re <C, h>. */
function complexStep(
  { A, B, C }: ScanData,
  fromA: number,
  fromB: number,
  fromC: number,
  delta: number,
  u: number,
  h: Float64Array,
): number {
  const drive = delta * u;
  let y = 0;
  for (let n = 0; n < h.length; n += 2) {
    const radius = Math.exp(delta * (A[fromA + n] as number));
    const angle = delta * (A[fromA + n + 1] as number);
    const decayRe = radius * Math.cos(angle);
    const decayIm = radius * Math.sin(angle);
    const re = h[n] as number;
    const im = h[n + 1] as number;
    const nextRe = decayRe * re - decayIm * im + drive * (B[fromB + n] as number);
    const nextIm = decayRe * im + decayIm * re + drive * (B[fromB + n + 1] as number);
    h[n] = nextRe;
    h[n + 1] = nextIm;
    y += (C[fromC + n] as number) * nextRe - (C[fromC + n + 1] as number) * nextIm;
  }
  return 2 * y;
}
