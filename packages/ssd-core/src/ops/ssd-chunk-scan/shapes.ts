/** Shapes and formats of the chunked SSD scan, checked before anything is computed or written. */
import { ArgumentError, ShapeError } from '../../errors.js';
import type {
  SsdChunkScanArgs,
  SsdChunkScanBackwardArgs,
  SsdChunkScanInputs,
} from '../../kernels/ssm-args.js';
import { expectInput, expectOutput, expectRank, expectStridedOutput } from '../../tensor-checks.js';
import { expectShape, formatShape, type TensorLike } from '../../tensor-like.js';
import { expectGradient } from '../gradient-checks.js';
import { stateRows } from '../sequences.js';
import { checkStepLimit, type StepLimit } from '../step-size.js';

/** Steps per chunk where the caller does not choose. */
export const defaultChunkSize = 64;

/** Sizes of one SSD scan. */
export interface SsdChunkScanDims {
  readonly batch: number;
  readonly seqLen: number;
  readonly nHeads: number;
  readonly headDim: number;
  readonly dState: number;
  readonly nGroups: number;
  readonly chunkSize: number;
  readonly dtLimit: StepLimit;
  /** D is (H, P), not (H). */
  readonly skipPerChannel: boolean;
  /** Rows of the initial and final states: batch, or packed sequences. */
  readonly stateRows: number;
}

/**
 * Checks the inputs of an SSD scan and gives its sizes. The entries of index inputs are checked where
 * they are read (`readSequences`).
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming `op` and the argument.
 */
export function checkSsdChunkScanShapes(op: string, inputs: SsdChunkScanInputs): SsdChunkScanDims {
  return checkSsdShapes(op, inputs, (nHeads) => ({ shape: [nHeads], letters: '(H)' }));
}

/** The shape that A must have beside `nHeads` heads of `dState` states. */
export type RatesShape = (nHeads: number, dState: number) => { shape: readonly number[]; letters: string };

/** As `checkSsdChunkScanShapes`, for rates A of any shape. */
export function checkSsdShapes(op: string, inputs: SsdChunkScanInputs, rates: RatesShape): SsdChunkScanDims {
  const { x, dt, A, B, C, D, z, dtBias, initialStates, cuSeqlens } = inputs;
  expectInput(op, 'x', x);
  expectRank(op, 'x', x, 4, '(B, L, H, P)');
  const [batch, seqLen, nHeads, headDim] = x.shape as [number, number, number, number];
  expectInput(op, 'dt', dt, { shape: [batch, seqLen, nHeads], letters: '(B, L, H)' });
  expectInput(op, 'B', B);
  expectRank(op, 'B', B, 4, '(B, L, G, N)');
  const [, , nGroups, dState] = B.shape as [number, number, number, number];
  const projection = { shape: [batch, seqLen, nGroups, dState], letters: '(B, L, G, N)' };
  expectInput(op, 'B', B, projection);
  checkGroups(op, 'B', B, nGroups, nHeads);
  expectInput(op, 'C', C, projection);
  expectInput(op, 'A', A, rates(nHeads, dState));
  const skipPerChannel = D !== undefined && expectSkip(op, D, nHeads, headDim);
  if (z !== undefined) expectInput(op, 'z', z, { shape: x.shape, letters: '(B, L, H, P)' });
  if (dtBias !== undefined) expectInput(op, 'dtBias', dtBias, { shape: [nHeads], letters: '(H)' });
  const dims: SsdChunkScanDims = {
    batch,
    seqLen,
    nHeads,
    headDim,
    dState,
    nGroups,
    chunkSize: checkChunkSize(op, inputs.chunkSize),
    dtLimit: checkStepLimit(op, inputs.dtLimit),
    skipPerChannel,
    stateRows: stateRows(op, batch, seqLen, inputs),
  };
  if (initialStates !== undefined) {
    expectInput(op, 'initialStates', initialStates, stateOf(dims, cuSeqlens));
  }
  return dims;
}

/** Checks that `nGroups` groups share out `nHeads` heads evenly. @throws {ShapeError} */
export function checkGroups(
  op: string,
  argument: string,
  tensor: TensorLike,
  nGroups: number,
  nHeads: number,
): void {
  if (nGroups >= 1 && nHeads % nGroups === 0) return;
  throw new ShapeError({
    op,
    argument,
    wanted: `a number of groups that divides ${nHeads}`,
    got: `${nGroups} in ${formatShape(tensor.shape)}`,
  });
}

/** Checks D, one number for a head or for each of its channels; whether it is the latter. */
function expectSkip(op: string, D: TensorLike, nHeads: number, headDim: number): boolean {
  expectInput(op, 'D', D);
  const perChannel = D.shape.length === 2;
  if (perChannel) expectShape(op, 'D', D, [nHeads, headDim], '(H, P)');
  else expectShape(op, 'D', D, [nHeads], '(H) or (H, P)');
  return perChannel;
}

function checkChunkSize(op: string, chunkSize: number | undefined): number {
  if (chunkSize === undefined) return defaultChunkSize;
  if (Number.isSafeInteger(chunkSize) && chunkSize >= 1) return chunkSize;
  throw new ArgumentError({
    op,
    argument: 'chunkSize',
    wanted: 'a positive integer',
    got: String(chunkSize),
  });
}

function stateOf(dims: SsdChunkScanDims, cuSeqlens: TensorLike | undefined) {
  const letters = cuSeqlens === undefined ? '(B, H, P, N)' : '(S, H, P, N)';
  return { shape: [dims.stateRows, dims.nHeads, dims.headDim, dims.dState], letters };
}

function outputOf({ batch, seqLen, nHeads, headDim }: SsdChunkScanDims) {
  return { shape: [batch, seqLen, nHeads, headDim], letters: '(B, L, H, P)' };
}

/** Checks the outputs of the forward pass. @throws as `checkSsdChunkScanShapes`. */
export function checkSsdChunkScanOutputs(
  op: string,
  dims: SsdChunkScanDims,
  { out, finalStates, cuSeqlens }: SsdChunkScanArgs,
): void {
  expectStridedOutput(op, 'out', out, outputOf(dims));
  if (finalStates !== undefined) expectOutput(op, 'finalStates', finalStates, stateOf(dims, cuSeqlens));
}

/** Inputs of the backward pass besides those of the forward pass. */
export type SsdChunkScanUpstream = Pick<SsdChunkScanBackwardArgs, 'gradOut' | 'gradFinalStates'>;

/** Checks the upstream gradients. @throws as `checkSsdChunkScanShapes`. */
export function checkSsdChunkScanUpstream(
  op: string,
  dims: SsdChunkScanDims,
  { gradOut, gradFinalStates, cuSeqlens }: SsdChunkScanInputs & SsdChunkScanUpstream,
): void {
  expectInput(op, 'gradOut', gradOut, outputOf(dims));
  if (gradFinalStates !== undefined) {
    expectInput(op, 'gradFinalStates', gradFinalStates, stateOf(dims, cuSeqlens));
  }
}

/**
 * Checks the gradients to be written: each has the shape of its input, and an input that was not given has
 * none. @throws as `checkSsdChunkScanShapes`.
 */
export function checkSsdChunkScanGradients(
  op: string,
  dims: SsdChunkScanDims,
  args: SsdChunkScanBackwardArgs,
): void {
  expectGradient(op, 'gradX', args.gradX, args.x, { strided: true });
  expectGradient(op, 'gradDt', args.gradDt, args.dt, { strided: true });
  expectGradient(op, 'gradA', args.gradA, args.A);
  expectGradient(op, 'gradB', args.gradB, args.B, { strided: true });
  expectGradient(op, 'gradC', args.gradC, args.C, { strided: true });
  expectGradient(op, 'gradD', args.gradD, args.D);
  expectGradient(op, 'gradZ', args.gradZ, args.z, { strided: true });
  expectGradient(op, 'gradDtBias', args.gradDtBias, args.dtBias);
  // States that were not given are zero, and their gradient is as well defined.
  if (args.gradInitialStates !== undefined) {
    expectOutput(op, 'gradInitialStates', args.gradInitialStates, stateOf(dims, args.cuSeqlens));
  }
}
