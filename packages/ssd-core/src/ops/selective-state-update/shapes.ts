/** Shapes and formats of the one-step state update: both Mamba forms, seen as one. */
import { ShapeError } from '../../errors.js';
import type { SelectiveStateUpdateArgs } from '../../kernels/ssm-args.js';
import {
  expectInput,
  expectOutput,
  expectRank,
  expectStridedOutput,
  indexDTypes,
} from '../../tensor-checks.js';
import { expectShape, formatShape, type TensorLike } from '../../tensor-like.js';
import { checkGroups } from '../ssd-chunk-scan/shapes.js';
import { checkStepLimit, type StepLimit } from '../step-size.js';

/** Inputs of the one-step state update. */
export type SelectiveStateUpdateInputs = Omit<SelectiveStateUpdateArgs, 'out'>;

/**
 * Sizes of one state update. The Mamba-1 form (B, D, N) is the Mamba-2 form with D heads of one channel.
 * "Per channel" parameters have one number for each (head, channel), the others one for each head.
 */
export interface SelectiveStateUpdateDims {
  readonly batch: number;
  readonly nHeads: number;
  readonly headDim: number;
  readonly dState: number;
  readonly nGroups: number;
  /** Rows of the state: batch, or any number with `stateBatchIndices`. */
  readonly stateRows: number;
  readonly dtLimit: StepLimit;
  /** A is (H, P, N) or (D, N), not (H). */
  readonly fullA: boolean;
  readonly dtPerChannel: boolean;
  readonly dtBiasPerChannel: boolean;
  readonly skipPerChannel: boolean;
}

/**
 * Checks the inputs of a state update and gives its sizes. Index entries are checked where they are read
 * (`readStateIndices`).
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming `op` and the argument.
 */
export function checkSelectiveStateUpdateShapes(
  op: string,
  inputs: SelectiveStateUpdateInputs,
): SelectiveStateUpdateDims {
  const { state, x, dt, A, B, C, D, z, dtBias, stateBatchIndices } = inputs;
  // The state is written too, so its entries may not overlap.
  expectOutput(op, 'state', state);
  const rank = state.shape.length;
  if (rank !== 3 && rank !== 4) {
    throw new ShapeError({
      op,
      argument: 'state',
      wanted: '(B, D, N) or (B, H, P, N)',
      got: formatShape(state.shape),
    });
  }
  const grouped = rank === 4;
  const [rows, nHeads] = state.shape as [number, number];
  const headDim = grouped ? (state.shape[2] as number) : 1;
  const dState = state.shape.at(-1) as number;
  const channels = state.shape.slice(1, -1);
  expectInput(op, 'x', x);
  expectRank(op, 'x', x, rank - 1, grouped ? '(B, H, P)' : '(B, D)');
  const batch = x.shape[0] as number;
  const stateRows = stateBatchIndices === undefined ? batch : rows;
  expectOutput(op, 'state', state, {
    shape: [stateRows, ...channels, dState],
    letters: grouped ? '(B, H, P, N)' : '(B, D, N)',
  });
  const perBatch = { shape: [batch, ...channels], letters: grouped ? '(B, H, P)' : '(B, D)' };
  expectInput(op, 'x', x, perBatch);
  if (z !== undefined) expectInput(op, 'z', z, perBatch);
  const tied = (argument: string, tensor: TensorLike, lead: readonly number[], tail: readonly number[]) =>
    expectTied(op, argument, tensor, { lead, heads: nHeads, headDim, tail, grouped });
  const dtPerChannel = tied('dt', dt, [batch], []);
  const fullA = grouped ? tied('A', A, [], [dState]) : expectFullA(op, A, nHeads, dState);
  const skipPerChannel = D === undefined ? false : tied('D', D, [], []);
  const dtBiasPerChannel = dtBias === undefined ? false : tied('dtBias', dtBias, [], []);
  const nGroups = checkProjections(op, B, C, { batch, dState, nHeads, grouped });
  if (stateBatchIndices !== undefined) {
    expectInput(op, 'stateBatchIndices', stateBatchIndices, {
      shape: [batch],
      letters: '(B)',
      dtypes: indexDTypes,
    });
  }
  return {
    batch,
    nHeads,
    headDim,
    dState,
    nGroups,
    stateRows,
    dtLimit: checkStepLimit(op, inputs.dtLimit),
    fullA,
    dtPerChannel,
    dtBiasPerChannel,
    skipPerChannel,
  };
}

function expectFullA(op: string, A: TensorLike, dInner: number, dState: number): boolean {
  expectInput(op, 'A', A, { shape: [dInner, dState], letters: '(D, N)' });
  return true;
}

interface TiedShape {
  readonly lead: readonly number[];
  readonly heads: number;
  readonly headDim: number;
  /** Axes that come with the channel axis. */
  readonly tail: readonly number[];
  readonly grouped: boolean;
}

/** Checks a parameter of one number per head, or per channel of each head; tells which it is. */
function expectTied(op: string, argument: string, tensor: TensorLike, expected: TiedShape): boolean {
  const { lead, heads, headDim, tail, grouped } = expected;
  expectInput(op, argument, tensor);
  const batchLetter = lead.length > 0 ? 'B, ' : '';
  if (!grouped) {
    expectShape(op, argument, tensor, [...lead, heads], `(${batchLetter}D)`);
    return false;
  }
  const perChannel = tensor.shape.length === lead.length + 2 + tail.length;
  const full = `(${batchLetter}H, P${tail.length > 0 ? ', N' : ''})`;
  if (perChannel) expectShape(op, argument, tensor, [...lead, heads, headDim, ...tail], full);
  else expectShape(op, argument, tensor, [...lead, heads], `(${batchLetter}H) or ${full}`);
  return perChannel;
}

/** Checks B and C; gives their number of groups. */
function checkProjections(
  op: string,
  B: TensorLike,
  C: TensorLike,
  { batch, dState, nHeads, grouped }: { batch: number; dState: number; nHeads: number; grouped: boolean },
): number {
  expectInput(op, 'B', B);
  if (!grouped && B.shape.length === 2) {
    const shared = { shape: [batch, dState], letters: '(B, N)' };
    expectInput(op, 'B', B, shared);
    expectInput(op, 'C', C, shared);
    return 1;
  }
  expectRank(op, 'B', B, 3, grouped ? '(B, G, N)' : '(B, N) or (B, G, N)');
  const nGroups = B.shape[1] as number;
  const perGroup = { shape: [batch, nGroups, dState], letters: '(B, G, N)' };
  expectInput(op, 'B', B, perGroup);
  checkGroups(op, 'B', B, nGroups, nHeads);
  expectInput(op, 'C', C, perGroup);
  return nGroups;
}

/** Checks the output, of the shape of `x`. @throws as `checkSelectiveStateUpdateShapes`. */
export function checkSelectiveStateUpdateOutputs(
  op: string,
  { x, out }: Pick<SelectiveStateUpdateArgs, 'x' | 'out'>,
): void {
  expectStridedOutput(op, 'out', out, {
    shape: x.shape,
    letters: x.shape.length === 2 ? '(B, D)' : '(B, H, P)',
  });
}
