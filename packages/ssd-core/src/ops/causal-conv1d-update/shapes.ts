/** Shapes and formats of the decode step of the convolution, checked before anything is computed or written. */
import { ArgumentError, ShapeError } from '../../errors.js';
import type { CausalConv1dUpdateArgs } from '../../kernels/ssm-args.js';
import { loadContiguous } from '../../reference/views.js';
import {
  expectInput,
  expectOutput,
  expectRank,
  expectStridedOutput,
  indexDTypes,
} from '../../tensor-checks.js';
import { formatShape, type TensorLike } from '../../tensor-like.js';
import { checkConvWeights } from '../causal-conv1d/shapes.js';

/** Inputs of the decode step of the convolution. */
export type CausalConv1dUpdateInputs = Omit<CausalConv1dUpdateArgs, 'out'>;

/** Sizes of one decode step of the convolution. */
export interface CausalConv1dUpdateDims {
  readonly batch: number;
  /** Steps in this call; 1 where x is (B, D). */
  readonly seqLen: number;
  readonly dim: number;
  readonly width: number;
  /** Columns of the state, S >= W-1. */
  readonly stateLen: number;
  /** Rows of the state: batch, or any number with `convStateIndices`. */
  readonly stateRows: number;
}

/**
 * Checks the inputs of a decode step of the convolution and gives its sizes. Index entries are checked where
 * they are read (`readStateIndices`, `readCacheSeqlens`).
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming `op` and the argument.
 */
export function checkCausalConv1dUpdateShapes(
  op: string,
  inputs: CausalConv1dUpdateInputs,
): CausalConv1dUpdateDims {
  const { x, convState, cacheSeqlens, convStateIndices } = inputs;
  expectInput(op, 'x', x);
  if (x.shape.length !== 2) expectRank(op, 'x', x, 3, '(B, D) or (B, L, D)');
  const batch = x.shape[0] as number;
  const dim = x.shape.at(-1) as number;
  const seqLen = x.shape.length === 2 ? 1 : (x.shape[1] as number);
  const width = checkConvWeights(op, inputs, dim);
  // The state is written too, so its entries may not overlap.
  expectOutput(op, 'convState', convState);
  expectRank(op, 'convState', convState, 3, '(B, D, S)');
  const [rows, , stateLen] = convState.shape as [number, number, number];
  const stateRows = convStateIndices === undefined ? batch : rows;
  expectOutput(op, 'convState', convState, { shape: [stateRows, dim, stateLen], letters: '(B, D, S)' });
  if (stateLen < width - 1) {
    throw new ShapeError({
      op,
      argument: 'convState',
      wanted: `(B, D, S) with S >= W-1 = ${width - 1}`,
      got: formatShape(convState.shape),
    });
  }
  const index = { shape: [batch], letters: '(B)', dtypes: indexDTypes };
  if (cacheSeqlens !== undefined) expectInput(op, 'cacheSeqlens', cacheSeqlens, index);
  if (convStateIndices !== undefined) expectInput(op, 'convStateIndices', convStateIndices, index);
  return { batch, seqLen, dim, width, stateLen, stateRows };
}

/**
 * A checked host copy of `cacheSeqlens`: steps already written, none negative.
 * @throws {ArgumentError} naming the first entry that does not fit.
 */
export function readCacheSeqlens(op: string, cacheSeqlens: TensorLike | undefined): Int32Array | undefined {
  if (cacheSeqlens === undefined) return undefined;
  const lengths = loadContiguous(op, 'cacheSeqlens', cacheSeqlens) as Int32Array;
  lengths.forEach((length, position) => {
    if (length >= 0) return;
    throw new ArgumentError({
      op,
      argument: `cacheSeqlens[${position}]`,
      wanted: '0 or more',
      got: String(length),
    });
  });
  return lengths;
}

/** Checks the output, of the shape of `x`. @throws as `checkCausalConv1dUpdateShapes`. */
export function checkCausalConv1dUpdateOutputs(
  op: string,
  { x, out }: Pick<CausalConv1dUpdateArgs, 'x' | 'out'>,
): void {
  expectStridedOutput(op, 'out', out, {
    shape: x.shape,
    letters: x.shape.length === 2 ? '(B, D)' : '(B, L, D)',
  });
}
