/** SSD of a whole batch from the mathematics of one head: heads and sequences cut out, skip and gate added. */
import type { SsdChunkScanInputs } from '../../kernels/ssm-args.js';
import { type Float64Tensor, float64Tensor } from '../float64-tensor.js';
import { applyGate } from '../gate.js';
import { inTime } from '../reverse.js';
import type { SequenceSpan } from '../sequences.js';
import type { SsdChunkScanDims } from './shapes.js';
import {
  addRows,
  loadSsdData,
  type SsdData,
  type SsdHead,
  type SsdHeadResult,
  skipIndex,
} from './ssd-data.js';

/** Result of the forward pass. */
export interface SsdChunkScanResult {
  /** (B, L, H, P) */
  readonly out: Float64Tensor;
  /** State after the last step, (B, H, P, N) or (S, H, P, N). */
  readonly finalStates: Float64Tensor;
}

/** Cuts head `h` of `span` out of the batch. */
export type CutHead = (data: SsdData, span: SequenceSpan, h: number) => SsdHead;

/** The output and last state of one head. */
export type HeadForm = (head: SsdHead, chunkSize: number) => SsdHeadResult;

/** Runs `form` on every head of every sequence; `dims` are those of checked inputs. */
export function runHeads(
  op: string,
  inputs: SsdChunkScanInputs,
  dims: SsdChunkScanDims,
  cut: CutHead,
  form: HeadForm,
): SsdChunkScanResult {
  return inTime(inputs, ssdSequences, ['out'], (given) => runAll(op, given, dims, cut, form));
}

/** Names of the inputs that have a length. */
export const ssdSequences = ['x', 'dt', 'B', 'C', 'z'] as const;

function runAll(
  op: string,
  inputs: SsdChunkScanInputs,
  dims: SsdChunkScanDims,
  cut: CutHead,
  form: HeadForm,
): SsdChunkScanResult {
  const data = loadSsdData(op, inputs, dims);
  const { batch, seqLen, nHeads, headDim, dState, stateRows } = dims;
  const out = new Float64Array(data.x.length);
  const stateSize = headDim * dState;
  const finalStates = new Float64Array(stateRows * nHeads * stateSize);
  for (const span of data.spans) {
    for (let h = 0; h < nHeads; h++) {
      const head = cut(data, span, h);
      const { y, state } = form(head, dims.chunkSize);
      addSkip(data, head, h, y);
      addRows(out, span.row * seqLen + span.start, nHeads, h, headDim, y);
      if (span.final >= 0) finalStates.set(state, (span.final * nHeads + h) * stateSize);
    }
  }
  applyGate(out, data.z);
  return {
    out: float64Tensor(out, [batch, seqLen, nHeads, headDim]),
    finalStates: float64Tensor(finalStates, [stateRows, nHeads, headDim, dState]),
  };
}

/** Adds D x to y, both (L, P). */
export function addSkip({ dims, D }: SsdData, head: SsdHead, h: number, y: Float64Array): void {
  if (D === undefined) return;
  for (let i = 0; i < y.length; i++) {
    const skip = D[skipIndex(dims, h, i % head.headDim)] as number;
    y[i] = (y[i] as number) + skip * (head.x[i] as number);
  }
}
