/**
 * Arithmetic of two tensors with NumPy broadcasting, or of a tensor and a number.
 * a (...), b (...), out of the broadcast shape. A gradient is summed over the axes its input was repeated along.
 */
import type { BinaryOp } from '@statespace/ssd-core';
import { record } from '../autograd/graph.js';
import { broadcastShapes } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { affine } from './affine.js';
import { checkFloat, checkPeer } from './arguments.js';
import { sumTo } from './broadcast.js';
import { allocate, allocateLike, dense, drop } from './layout.js';

function binary(op: BinaryOp, a: Tensor, b: Tensor): Tensor {
  checkFloat(op, 'a', a);
  checkPeer(op, 'a', a, 'b', b);
  const out = allocate(a.kernels, a.dtype, broadcastShapes(op, a.shape, b.shape));
  a.kernels.binary({ op, a, b, out });
  return out;
}

/** a + b; gradA = gradB = gradOut. */
export function add(a: Tensor, b: Tensor | number): Tensor {
  if (typeof b === 'number') return affine(a, 1, b, 'add');
  const out = binary('add', a, b);
  const { shape: shapeA } = a;
  const { shape: shapeB } = b;
  record('add', [out], [a, b], [], ({ grad, needs }) => [
    needs[0] ? sumTo(grad, shapeA) : undefined,
    needs[1] ? sumTo(grad, shapeB) : undefined,
  ]);
  return out;
}

/** a - b; gradA = gradOut, gradB = -gradOut. */
export function sub(a: Tensor, b: Tensor | number): Tensor {
  if (typeof b === 'number') return affine(a, 1, -b, 'sub');
  const out = binary('sub', a, b);
  const { shape: shapeA } = a;
  const { shape: shapeB } = b;
  record('sub', [out], [a, b], [], ({ grad, needs }) => [
    needs[0] ? sumTo(grad, shapeA) : undefined,
    needs[1] ? affine(sumTo(grad, shapeB), -1, 0) : undefined,
  ]);
  return out;
}

/** a * b; gradA = gradOut b, gradB = gradOut a. */
export function mul(a: Tensor, b: Tensor | number): Tensor {
  if (typeof b === 'number') return affine(a, b, 0, 'mul');
  const out = binary('mul', a, b);
  // Each side saves the other's values only when it wants a gradient itself.
  const saved = [b.requiresGrad ? a : undefined, a.requiresGrad ? b : undefined] as const;
  const { shape: shapeA } = a;
  const { shape: shapeB } = b;
  record('mul', [out], [a, b], saved, ({ grad, needs, saved: [left, right] }) => [
    needs[0] && right !== undefined ? sumTo(binary('mul', grad, right), shapeA) : undefined,
    needs[1] && left !== undefined ? sumTo(binary('mul', grad, left), shapeB) : undefined,
  ]);
  return out;
}

/** a / b; gradA = gradOut / b, gradB = -gradOut out / b. */
export function div(a: Tensor, b: Tensor | number): Tensor {
  if (typeof b === 'number') return affine(a, 1 / b, 0, 'div');
  const out = binary('div', a, b);
  const { shape: shapeA } = a;
  const { shape: shapeB } = b;
  record('div', [out], [a, b], [b, out], ({ grad, needs, saved: [divisor, quotient] }) => {
    const scaled = binary('div', grad, divisor);
    return [
      needs[0] ? sumTo(scaled, shapeA) : undefined,
      needs[1] ? affine(sumTo(binary('mul', scaled, quotient), shapeB), -1, 0) : undefined,
    ];
  });
  return out;
}

/** The larger of a and b; where they are equal each gets half the gradient. */
export function maximum(a: Tensor, b: Tensor | number): Tensor {
  return extreme('maximum', a, b);
}

/** The smaller of a and b; where they are equal each gets half the gradient. */
export function minimum(a: Tensor, b: Tensor | number): Tensor {
  return extreme('minimum', a, b);
}

function extreme(op: 'maximum' | 'minimum', a: Tensor, other: Tensor | number): Tensor {
  checkFloat(op, 'a', a);
  const b = typeof other === 'number' ? constantLike(a, other) : other;
  const out = binary(op, a, b);
  const { shape: shapeA } = a;
  const { shape: shapeB } = b;
  record(op, [out], [a, b], [a, b], ({ grad, needs, saved: [left, right] }) => {
    const [upper, lower] = op === 'maximum' ? [left, right] : [right, left];
    // gradA = gradOut ([a wins] + [a = b] / 2), and [a = b] = 1 - [a wins] - [b wins].
    const whenA = gradWhereLarger(grad, upper, lower);
    const whenB = gradWhereLarger(grad, lower, upper);
    const sure = binary('sub', whenA, whenB);
    return [
      needs[0] ? sumTo(affine(binary('add', grad, sure), 0.5, 0), shapeA) : undefined,
      needs[1] ? sumTo(affine(binary('sub', grad, sure), 0.5, 0), shapeB) : undefined,
    ];
  });
  if (b !== other) b.dispose();
  return out;
}

function constantLike(x: Tensor, value: number): Tensor {
  const out = allocate(x.kernels, x.dtype, []);
  x.kernels.fill({ out, value });
  return out;
}

/** grad where a > b, else 0: the backward of relu(a - b). */
export function gradWhereLarger(grad: Tensor, a: Tensor, b: Tensor): Tensor {
  const gradOut = dense(grad);
  const out = allocateLike(gradOut);
  grad.kernels.unaryBackward({ op: 'relu', x: binary('sub', a, b), gradOut, gradX: out });
  drop(gradOut, grad);
  return out;
}
