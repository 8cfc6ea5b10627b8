/** Shapes and formats of the causal convolution, checked before anything is computed or written. */
import { ArgumentError, ShapeError } from '../../errors.js';
import type {
  CausalConv1dArgs,
  CausalConv1dBackwardArgs,
  CausalConv1dInputs,
} from '../../kernels/ssm-args.js';
import { expectInput, expectOutput, expectRank, expectStridedOutput } from '../../tensor-checks.js';
import { formatShape, type TensorLike } from '../../tensor-like.js';
import { expectGradient } from '../gradient-checks.js';
import { stateRows } from '../sequences.js';

/** Sizes of one causal convolution. */
export interface CausalConv1dDims {
  readonly batch: number;
  readonly seqLen: number;
  readonly dim: number;
  /** Taps per channel, 2 or more. */
  readonly width: number;
  /** Rows of the initial and final states: batch, or packed sequences. */
  readonly stateRows: number;
}

/**
 * Checks weight, bias and activation of a depthwise convolution over `dim` channels; gives its width.
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming `op` and the argument.
 */
export function checkConvWeights(
  op: string,
  { weight, bias, activation }: Pick<CausalConv1dInputs, 'weight' | 'bias' | 'activation'>,
  dim: number,
): number {
  expectInput(op, 'weight', weight);
  expectRank(op, 'weight', weight, 2, '(D, W)');
  const width = weight.shape[1] as number;
  expectInput(op, 'weight', weight, { shape: [dim, width], letters: '(D, W)' });
  if (width < 2) {
    throw new ShapeError({
      op,
      argument: 'weight',
      wanted: '(D, W) with W >= 2',
      got: formatShape(weight.shape),
    });
  }
  if (bias !== undefined) expectInput(op, 'bias', bias, { shape: [dim], letters: '(D)' });
  if (activation !== undefined && activation !== 'none' && activation !== 'silu') {
    throw new ArgumentError({
      op,
      argument: 'activation',
      wanted: "'none' or 'silu'",
      got: `'${String(activation)}'`,
    });
  }
  return width;
}

/**
 * Checks the inputs of a causal convolution and gives its sizes. The entries of index inputs are checked where
 * they are read (`readSequences`).
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming `op` and the argument.
 */
export function checkCausalConv1dShapes(op: string, inputs: CausalConv1dInputs): CausalConv1dDims {
  const { x, initialStates, cuSeqlens } = inputs;
  expectInput(op, 'x', x);
  expectRank(op, 'x', x, 3, '(B, L, D)');
  const [batch, seqLen, dim] = x.shape as [number, number, number];
  const width = checkConvWeights(op, inputs, dim);
  const dims = { batch, seqLen, dim, width, stateRows: stateRows(op, batch, seqLen, inputs) };
  if (initialStates !== undefined) expectInput(op, 'initialStates', initialStates, stateOf(dims, cuSeqlens));
  return dims;
}

function stateOf(dims: CausalConv1dDims, cuSeqlens: TensorLike | undefined) {
  const letters = cuSeqlens === undefined ? '(B, D, W-1)' : '(S, D, W-1)';
  return { shape: [dims.stateRows, dims.dim, dims.width - 1], letters };
}

/** Checks the outputs of the forward pass. @throws as `checkCausalConv1dShapes`. */
export function checkCausalConv1dOutputs(
  op: string,
  dims: CausalConv1dDims,
  { out, finalStates, cuSeqlens }: CausalConv1dArgs,
): void {
  expectStridedOutput(op, 'out', out, { shape: [dims.batch, dims.seqLen, dims.dim], letters: '(B, L, D)' });
  if (finalStates !== undefined) expectOutput(op, 'finalStates', finalStates, stateOf(dims, cuSeqlens));
}

/** Inputs of the backward pass besides those of the forward pass. */
export type CausalConv1dUpstream = Pick<CausalConv1dBackwardArgs, 'gradOut' | 'gradFinalStates'>;

/** Checks the upstream gradients. @throws as `checkCausalConv1dShapes`. */
export function checkCausalConv1dUpstream(
  op: string,
  dims: CausalConv1dDims,
  { gradOut, gradFinalStates, cuSeqlens }: CausalConv1dInputs & CausalConv1dUpstream,
): void {
  expectInput(op, 'gradOut', gradOut, { shape: [dims.batch, dims.seqLen, dims.dim], letters: '(B, L, D)' });
  if (gradFinalStates !== undefined) {
    expectInput(op, 'gradFinalStates', gradFinalStates, stateOf(dims, cuSeqlens));
  }
}

/**
 * Checks the gradients to be written: each has the shape of its input, and an input that was not given has
 * none. @throws as `checkCausalConv1dShapes`.
 */
export function checkCausalConv1dGradients(
  op: string,
  dims: CausalConv1dDims,
  args: CausalConv1dBackwardArgs,
): void {
  expectGradient(op, 'gradX', args.gradX, args.x, { strided: true });
  expectGradient(op, 'gradWeight', args.gradWeight, args.weight);
  expectGradient(op, 'gradBias', args.gradBias, args.bias);
  // States that were not given are zero, and their gradient is as well defined.
  if (args.gradInitialStates !== undefined) {
    expectOutput(op, 'gradInitialStates', args.gradInitialStates, stateOf(dims, args.cuSeqlens));
  }
}
