/** Shapes and formats of the selective scan, checked before anything is computed or written. */
import { ArgumentError, ShapeError } from '../../errors.js';
import type {
  SelectiveScanArgs,
  SelectiveScanBackwardArgs,
  SelectiveScanInputs,
} from '../../kernels/ssm-args.js';
import {
  expectInput,
  expectOutput,
  expectRank,
  expectStridedOutput,
  floatDTypes,
} from '../../tensor-checks.js';
import { formatShape, type TensorLike, tensorDType } from '../../tensor-like.js';
import { complexDTypes } from '../float64-tensor.js';
import { expectGradient } from '../gradient-checks.js';
import { stateRows } from '../sequences.js';

/** Sizes of one selective scan. */
export interface SelectiveScanDims {
  readonly batch: number;
  readonly seqLen: number;
  readonly dInner: number;
  readonly dState: number;
  /** Groups of a variable B, 0 for a constant one. */
  readonly groupsB: number;
  /** Groups of a variable C, 0 for a constant one. */
  readonly groupsC: number;
  /** A, B, C and the states hold (re, im) pairs along a last axis of 2. */
  readonly complex: boolean;
  /** Rows of the initial and last state: batch, or packed sequences. */
  readonly stateRows: number;
}

/** Axes of `shape` with the complex axis where there is one, and its formats. */
function maybeComplex(complex: boolean, shape: readonly number[], letters: string) {
  return complex
    ? { shape: [...shape, 2], letters: `${letters.slice(0, -1)}, 2)`, dtypes: complexDTypes }
    : { shape, letters, dtypes: floatDTypes };
}

function isComplex(A: TensorLike): boolean {
  const dtype = tensorDType(A);
  return dtype === 'c64' || dtype === 'c128' || A.shape.length === 3;
}

/**
 * Checks the inputs of a selective scan and gives its sizes. The entries of index inputs are checked where
 * they are read (`readSequences`).
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming `op` and the argument.
 */
export function checkSelectiveScanShapes(op: string, inputs: SelectiveScanInputs): SelectiveScanDims {
  const { u, delta, A, B, C, D, z, deltaBias, initialState, cuSeqlens } = inputs;
  expectInput(op, 'u', u);
  expectRank(op, 'u', u, 3, '(B, L, D)');
  const [batch, seqLen, dInner] = u.shape as [number, number, number];
  expectInput(op, 'delta', delta, { shape: u.shape, letters: '(B, L, D)' });
  expectInput(op, 'A', A, { dtypes: [...floatDTypes, ...complexDTypes] });
  const complex = isComplex(A);
  expectRank(op, 'A', A, complex ? 3 : 2, complex ? '(D, N, 2)' : '(D, N)');
  const dState = A.shape[1] as number;
  expectInput(op, 'A', A, maybeComplex(complex, [dInner, dState], '(D, N)'));
  const sizes = { batch, seqLen, dInner, dState, complex };
  const groupsB = checkProjection(op, 'B', B, sizes);
  const groupsC = checkProjection(op, 'C', C, sizes);
  if (D !== undefined) expectInput(op, 'D', D, { shape: [dInner], letters: '(D)' });
  if (z !== undefined) expectInput(op, 'z', z, { shape: u.shape, letters: '(B, L, D)' });
  if (deltaBias !== undefined) expectInput(op, 'deltaBias', deltaBias, { shape: [dInner], letters: '(D)' });
  const dims = { ...sizes, groupsB, groupsC, stateRows: stateRows(op, batch, seqLen, inputs) };
  if (initialState !== undefined) expectInput(op, 'initialState', initialState, stateOf(dims, cuSeqlens));
  return dims;
}

/** Checks B or C and gives its number of groups, 0 when it is constant. */
function checkProjection(
  op: string,
  argument: 'B' | 'C',
  tensor: TensorLike,
  sizes: Pick<SelectiveScanDims, 'batch' | 'seqLen' | 'dInner' | 'dState' | 'complex'>,
): number {
  const { batch, seqLen, dInner, dState, complex } = sizes;
  const dtypes = complex ? complexDTypes : floatDTypes;
  expectInput(op, argument, tensor, { dtypes });
  const rank = tensor.shape.length - (complex ? 1 : 0);
  if (rank === 2) {
    expectInput(op, argument, tensor, maybeComplex(complex, [dInner, dState], '(D, N)'));
    return 0;
  }
  if (rank === 3) {
    expectInput(op, argument, tensor, maybeComplex(complex, [batch, seqLen, dState], '(B, L, N)'));
    return 1;
  }
  const pair = complex ? ', 2' : '';
  if (rank !== 4) {
    throw new ShapeError({
      op,
      argument,
      wanted: `(D, N${pair}), (B, L, N${pair}) or (B, L, G, N${pair})`,
      got: formatShape(tensor.shape),
    });
  }
  const groups = tensor.shape[2] as number;
  expectInput(op, argument, tensor, maybeComplex(complex, [batch, seqLen, groups, dState], '(B, L, G, N)'));
  if (groups < 1 || dInner % groups !== 0) {
    throw new ShapeError({
      op,
      argument,
      wanted: `(B, L, G, N${pair}) with G a divisor of D = ${dInner}`,
      got: formatShape(tensor.shape),
    });
  }
  return groups;
}

function stateOf(dims: SelectiveScanDims, cuSeqlens: TensorLike | undefined) {
  const letters = cuSeqlens === undefined ? '(B, D, N)' : '(S, D, N)';
  return maybeComplex(dims.complex, [dims.stateRows, dims.dInner, dims.dState], letters);
}

/** Steps between two checkpoints of the state. */
export const selectiveScanCheckpointSteps = 16;

/**
 * Shape (R, N, D) of checkpoints with room for every sequence: R = B ceil(L / 16), or floor(L / 16) + S for S packed
 * ones. @throws {ArgumentError} for complex A and for `seqIdx`, which have none.
 */
export function selectiveScanCheckpointShape(
  op: string,
  dims: Pick<SelectiveScanDims, 'batch' | 'seqLen' | 'dInner' | 'dState' | 'complex'>,
  { cuSeqlens, seqIdx }: Pick<SelectiveScanInputs, 'cuSeqlens' | 'seqIdx'>,
): [number, number, number] {
  const { batch, seqLen, dInner, dState, complex } = dims;
  if (complex || seqIdx !== undefined) {
    const got = complex ? 'complex A' : 'seqIdx';
    throw new ArgumentError({ op, argument: 'checkpoints', wanted: 'real A and no seqIdx', got });
  }
  const chunks = seqLen / selectiveScanCheckpointSteps;
  const packed = cuSeqlens === undefined ? undefined : Math.max(0, (cuSeqlens.shape[0] as number) - 1);
  return [packed === undefined ? batch * Math.ceil(chunks) : Math.floor(chunks) + packed, dState, dInner];
}

function checkpointsOf(op: string, dims: SelectiveScanDims, inputs: SelectiveScanInputs) {
  return { shape: selectiveScanCheckpointShape(op, dims, inputs), letters: '(R, N, D)' };
}

/** Checks the outputs of the forward pass. @throws as `checkSelectiveScanShapes`. */
export function checkSelectiveScanOutputs(
  op: string,
  dims: SelectiveScanDims,
  args: SelectiveScanArgs,
): void {
  const { out, lastState, checkpoints, cuSeqlens } = args;
  expectStridedOutput(op, 'out', out, {
    shape: [dims.batch, dims.seqLen, dims.dInner],
    letters: '(B, L, D)',
  });
  if (lastState !== undefined) expectOutput(op, 'lastState', lastState, stateOf(dims, cuSeqlens));
  if (checkpoints !== undefined) expectOutput(op, 'checkpoints', checkpoints, checkpointsOf(op, dims, args));
}

/** Inputs of the backward pass besides those of the forward pass. */
export type SelectiveScanUpstream = Pick<
  SelectiveScanBackwardArgs,
  'gradOut' | 'gradLastState' | 'checkpoints'
>;

/** Checks the upstream gradients and the checkpoints. @throws as `checkSelectiveScanShapes`. */
export function checkSelectiveScanUpstream(
  op: string,
  dims: SelectiveScanDims,
  args: SelectiveScanInputs & SelectiveScanUpstream,
): void {
  const { gradOut, gradLastState, checkpoints, cuSeqlens } = args;
  expectInput(op, 'gradOut', gradOut, {
    shape: [dims.batch, dims.seqLen, dims.dInner],
    letters: '(B, L, D)',
  });
  if (gradLastState !== undefined) {
    expectInput(op, 'gradLastState', gradLastState, stateOf(dims, cuSeqlens));
  }
  if (checkpoints !== undefined) expectInput(op, 'checkpoints', checkpoints, checkpointsOf(op, dims, args));
}

/**
 * Checks the gradients to be written: each has the shape of its input, and an input that was not given has
 * none. @throws as `checkSelectiveScanShapes`.
 */
export function checkSelectiveScanGradients(
  op: string,
  dims: SelectiveScanDims,
  args: SelectiveScanBackwardArgs,
): void {
  const { complex } = dims;
  const strided = true;
  expectGradient(op, 'gradU', args.gradU, args.u, { strided });
  expectGradient(op, 'gradDelta', args.gradDelta, args.delta, { strided });
  expectGradient(op, 'gradA', args.gradA, args.A, { complex });
  expectGradient(op, 'gradB', args.gradB, args.B, { complex, strided: dims.groupsB > 0 });
  expectGradient(op, 'gradC', args.gradC, args.C, { complex, strided: dims.groupsC > 0 });
  expectGradient(op, 'gradD', args.gradD, args.D);
  expectGradient(op, 'gradZ', args.gradZ, args.z, { strided });
  expectGradient(op, 'gradDeltaBias', args.gradDeltaBias, args.deltaBias);
  // A state that was not given is a zero state, whose gradient is as well defined.
  if (args.gradInitialState !== undefined) {
    expectOutput(op, 'gradInitialState', args.gradInitialState, stateOf(dims, args.cuSeqlens));
  }
}
