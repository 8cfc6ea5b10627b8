/** Shapes of matrix products. */
import { ArgumentError, ShapeError } from '../../errors.js';
import type { GemmArgs } from '../../kernels/dense-args.js';
import { expectInput, expectOutput } from '../../tensor-checks.js';
import { elementCount, formatShape, type TensorLike } from '../../tensor-like.js';

/** out (batch, m, n) = a (batch, m, k) times b (batch or none, k, n). */
export interface GemmDims {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** One `b` serves the whole batch. */
  readonly sharedB: boolean;
}

export type GemmInputs = Omit<GemmArgs, 'out'>;

/** @throws {StatespaceError} naming `op` and the argument that does not fit. */
export function checkGemm(op: string, args: GemmArgs): GemmDims {
  const dims = checkGemmInputs(op, args);
  const shape = [...args.a.shape.slice(0, -2), dims.m, dims.n];
  expectOutput(op, 'out', args.out, { shape, letters: '(..., M, N)' });
  return dims;
}

/** @throws {StatespaceError} naming `op` and the argument that does not fit. */
export function checkGemmInputs(op: string, args: GemmInputs): GemmDims {
  const { a, b, transposeA = false, transposeB = false, bias, activation = 'none' } = args;
  expectInput(op, 'a', a);
  expectInput(op, 'b', b);
  const [m, k] = matrixSizes(op, 'a', a, transposeA);
  const [rowsB, n] = matrixSizes(op, 'b', b, transposeB);
  const batchShape = a.shape.slice(0, -2);
  const batchShapeB = b.shape.slice(0, -2);
  const sharedB = batchShapeB.length === 0;
  const sameBatch =
    batchShapeB.length === batchShape.length && batchShapeB.every((size, axis) => size === batchShape[axis]);
  if (rowsB !== k || !(sharedB || sameBatch)) {
    const lead = sharedB ? [] : batchShape;
    const wanted = [...lead, ...(transposeB ? [n, k] : [k, n])];
    throw new ShapeError({
      op,
      argument: 'b',
      wanted: `${transposeB ? '(..., N, K)' : '(..., K, N)'} = ${formatShape(wanted)} to go with a ${formatShape(a.shape)}`,
      got: formatShape(b.shape),
    });
  }
  if (bias !== undefined) expectInput(op, 'bias', bias, { shape: [n], letters: '(N)' });
  if (activation !== 'none' && activation !== 'silu') {
    throw new ArgumentError({
      op,
      argument: 'activation',
      wanted: "'none' or 'silu'",
      got: String(activation),
    });
  }
  if (args.accumulate && (bias !== undefined || activation !== 'none')) {
    throw new ArgumentError({
      op,
      argument: 'accumulate',
      wanted: 'no bias and no activation with it',
      got: bias === undefined ? `activation '${activation}'` : 'a bias',
    });
  }
  return { batch: elementCount(batchShape), m, n, k, sharedB };
}

function matrixSizes(
  op: string,
  argument: string,
  tensor: TensorLike,
  transposed: boolean,
): [number, number] {
  const rank = tensor.shape.length;
  if (rank < 2) {
    throw new ShapeError({ op, argument, wanted: 'two axes or more', got: formatShape(tensor.shape) });
  }
  const rows = tensor.shape[rank - 2] as number;
  const columns = tensor.shape[rank - 1] as number;
  return transposed ? [columns, rows] : [rows, columns];
}
