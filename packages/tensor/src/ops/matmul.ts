/**
 * Matrix products. a (..., M, K), b (..., K, N), out (..., M, N); leading axes broadcast; a vector counts as one
 * row (left) or one column (right). gradA = gradOut b^T, gradB = a^T gradOut, summed over broadcast axes.
 */
import { ArgumentError, formatShape, ShapeError, type TensorLike } from '@statespace/ssd-core';
import { record } from '../autograd/graph.js';
import { broadcastShapes, broadcastStrides, type Shape, sameShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { checkFloat, checkPeer } from './arguments.js';
import { sumTo } from './broadcast.js';
import { allocate, dense, drop, shaped } from './layout.js';
import { reshape } from './reshape.js';

/** a b. @throws {ShapeError} when the inner sizes differ or leading axes do not broadcast. */
export function matmul(a: Tensor, b: Tensor): Tensor {
  checkFloat('matmul', 'a', a);
  checkPeer('matmul', 'a', a, 'b', b);
  if (a.rank === 0 || b.rank === 0) {
    const argument = a.rank === 0 ? 'a' : 'b';
    throw new ArgumentError({ op: 'matmul', argument, wanted: 'at least one axis', got: 'a scalar' });
  }
  const left = a.rank === 1 ? reshape(a, [1, a.size]) : a;
  const right = b.rank === 1 ? reshape(b, [b.size, 1]) : b;
  const out = matrixProduct(left, right);
  if (a.rank > 1 && b.rank > 1) return out;
  const lead = out.shape.slice(0, -2);
  const rows = a.rank === 1 ? [] : [out.shape.at(-2) as number];
  const columns = b.rank === 1 ? [] : [out.shape.at(-1) as number];
  return reshape(out, [...lead, ...rows, ...columns]);
}

function matrixProduct(a: Tensor, b: Tensor): Tensor {
  const k = a.shape.at(-1) as number;
  if (b.shape.at(-2) !== k) {
    throw new ShapeError({
      op: 'matmul',
      argument: 'b',
      wanted: `(..., K, N) with K = ${k}, to go with a ${formatShape(a.shape)}`,
      got: formatShape(b.shape),
    });
  }
  const lead = broadcastShapes('matmul', a.shape.slice(0, -2), b.shape.slice(0, -2));
  const out = allocate(a.kernels, a.dtype, [...lead, a.shape.at(-2) as number, b.shape.at(-1) as number]);
  product(a, false, b, false, out);
  record('matmul', [out], [a, b], [a, b], ({ grad, needs, saved: [left, right] }) => {
    const gradA = needs[0] ? productTo(grad, false, right, true, left.shape) : undefined;
    const gradB = needs[1] ? gradRight(left, grad, right.shape) : undefined;
    return [gradA, gradB];
  });
  return out;
}

/** a^T gradOut; where one matrix served a whole batch, the batch joins the inner axis of one product. */
function gradRight(a: Tensor, grad: Tensor, shape: Shape): Tensor {
  if (shape.length > 2 || a.rank === 2) return productTo(a, true, grad, false, shape);
  const rowsA = a.reshape([-1, a.shape.at(-1) as number]);
  const rowsGrad = grad.reshape([-1, grad.shape.at(-1) as number]);
  return productTo(rowsA, true, rowsGrad, false, shape);
}

/** op(a) op(b), summed over leading axes down to `shape`. */
function productTo(a: Tensor, transposeA: boolean, b: Tensor, transposeB: boolean, shape: Shape): Tensor {
  const lead = broadcastShapes('matmul', a.shape.slice(0, -2), b.shape.slice(0, -2));
  const out = allocate(a.kernels, a.dtype, [...lead, ...shape.slice(-2)]);
  product(a, transposeA, b, transposeB, out);
  return sumTo(out, shape);
}

function product(a: Tensor, transposeA: boolean, b: Tensor, transposeB: boolean, out: Tensor): void {
  const lead = out.shape.slice(0, -2);
  if (lead.length > 0 && b.rank === 2 && !transposeA && isStacked(a, lead)) {
    // One matrix for the whole batch: the batch is more rows of one product.
    const rows = a.isContiguous ? a : dense(a);
    const left = shaped(rows, [rows.size / (rows.shape.at(-1) as number), rows.shape.at(-1) as number]);
    const right = operand(b, transposeB);
    a.kernels.gemm({
      a: left,
      b: right.matrix,
      transposeB: right.transposed,
      out: shaped(out, [out.size / (out.shape.at(-1) as number), out.shape.at(-1) as number]),
    });
    right.free();
    drop(rows, a);
    return;
  }
  const left = operand(a, transposeA, lead);
  const right = operand(b, transposeB, lead);
  a.kernels.gemm({
    a: left.matrix,
    b: right.matrix,
    transposeA: left.transposed,
    transposeB: right.transposed,
    out,
  });
  left.free();
  right.free();
}

function isStacked(a: Tensor, lead: Shape): boolean {
  return a.size > 0 && sameShape(a.shape.slice(0, -2), lead);
}

interface Operand {
  readonly matrix: TensorLike;
  readonly transposed: boolean;
  /** Frees a copy that had to be made. */
  readonly free: () => void;
}

/**
 * `x` with leading axes `lead` for gemm, which takes unit stride along the last axis: a transposed view goes in as
 * the matrix it was made from, any other stride as a copy.
 */
function operand(x: Tensor, transposed: boolean, lead?: Shape): Operand {
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const [rowStep, columnStep] = x.strides.slice(-2) as [number, number];
  const flip = columnStep !== 1 && columns > 1 && (rowStep === 1 || rows === 1);
  const straight = columnStep === 1 || columns === 1;
  const matrix = flip || straight ? x : dense(x);
  const steps = matrix.strides;
  const outer = matrix.shape.slice(0, -2);
  const outerSteps =
    lead === undefined ? steps.slice(0, -2) : broadcastStrides('matmul', outer, steps.slice(0, -2), lead);
  const inner = flip ? [columns, rows] : [rows, columns];
  // An axis of size 1 may carry any stride in a view; gemm asks for 1 along the last.
  const innerSteps = flip ? [columnStep, 1] : [steps.at(-2) as number, 1];
  return {
    matrix: {
      data: matrix.data,
      dtype: matrix.dtype,
      offset: matrix.offset,
      shape: [...(lead ?? outer), ...inner],
      strides: [...outerSteps, ...innerSteps],
    },
    transposed: transposed !== flip,
    free: () => drop(matrix, x),
  };
}
