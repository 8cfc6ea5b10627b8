/**
 * Affine map of the last axis: out = x weight^T + bias.
 * x (..., K), any even row spacing; weight (N, K); bias (N); out (..., N).
 * gradX = gradOut weight, gradWeight = gradOut^T x, gradBias = sum of gradOut over rows.
 */
import { elementCount, expectShape, formatShape, ShapeError, type TensorLike } from '@statespace/ssd-core';
import { record } from '../autograd/graph.js';
import type { Tensor } from '../tensor.js';
import { checkFloat, checkPeer, checkRank } from './arguments.js';
import { allocate, allocateLike, dense, denseMaybe, drop, rowsOf, shaped, unitLast } from './layout.js';

/** x weight^T + bias. @throws {ShapeError} */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const op = 'linear';
  checkFloat(op, 'x', x);
  checkPeer(op, 'x', x, 'weight', weight);
  checkRank(op, 'weight', weight, [2], '(N, K)');
  const [outputs, inputs] = weight.shape as readonly [number, number];
  if (x.rank === 0 || x.shape.at(-1) !== inputs) {
    throw new ShapeError({ op, argument: 'x', wanted: `(..., ${inputs})`, got: formatShape(x.shape) });
  }
  if (bias !== undefined) {
    checkPeer(op, 'x', x, 'bias', bias);
    expectShape(op, 'bias', bias, [outputs], '(N)');
  }
  const { kernels } = x;
  const out = allocate(kernels, x.dtype, x.shape.with(-1, outputs));
  const rows = elementCount(x.shape.slice(0, -1));
  withRows(x, (a) => {
    const b = unitLast(weight);
    const offsets = denseMaybe(bias);
    kernels.gemm({ a, b, transposeB: true, bias: offsets, out: shaped(out, [rows, outputs]) });
    drop(b, weight);
    drop(offsets, bias);
  });
  record(op, [out], [x, weight, bias], [x, weight], ({ grad, needs, saved: [input, matrix], target }) => {
    const gradOut = dense(grad);
    const gradRows = shaped(gradOut, [rows, outputs]);
    return [
      needs[0] ? gradInput(gradRows, matrix, input) : undefined,
      needs[1] ? gradWeight(gradRows, input, matrix, target(1)) : undefined,
      needs[2] ? gradBias(gradRows, gradOut, outputs) : undefined,
    ];
  });
  return out;
}

function gradInput(gradRows: TensorLike, weight: Tensor, x: Tensor): Tensor {
  const out = allocateLike(x);
  const b = unitLast(weight);
  x.kernels.gemm({
    a: gradRows,
    b,
    out: shaped(out, [gradRows.shape[0] as number, weight.shape[1] as number]),
  });
  drop(b, weight);
  return out;
}

/** Into the gradient that a shared weight has already, where there is one. */
function gradWeight(gradRows: TensorLike, x: Tensor, weight: Tensor, sofar: Tensor | undefined): Tensor {
  const out = sofar ?? allocateLike(weight);
  withRows(x, (b) => {
    x.kernels.gemm({ a: gradRows, b, transposeA: true, out, accumulate: sofar !== undefined });
  });
  return out;
}

function gradBias(gradRows: TensorLike, like: Tensor, outputs: number): Tensor {
  const out = allocate(like.kernels, like.dtype, [outputs]);
  like.kernels.reduce({ op: 'sum', x: gradRows, axes: [0], out });
  return out;
}

/** Hands `x` on as rows (M, K), without a copy where its strides allow that. */
function withRows(x: Tensor, use: (rows: TensorLike) => void): void {
  const rows = rowsOf(x);
  if (rows !== undefined) {
    use(rows);
    return;
  }
  const copy = dense(x);
  use(shaped(copy, [elementCount(x.shape.slice(0, -1)), x.shape.at(-1) as number]));
  drop(copy, x);
}
