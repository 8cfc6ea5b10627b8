/**
 * Functions of one number: out = f(x), gradX = gradOut f'(x).
 * x, out (...), any strides in, row-major out.
 */
import type { UnaryOp } from '@statespace/ssd-core';
import { record } from '../autograd/graph.js';
import type { Tensor } from '../tensor.js';
import { checkFloat } from './arguments.js';
import { allocateLike, dense, drop } from './layout.js';

/** f(x), element by element. */
export function unary(op: UnaryOp, x: Tensor): Tensor {
  checkFloat(op, 'x', x);
  const { kernels } = x;
  const out = allocateLike(x);
  kernels.unary({ op, x, out });
  record(op, [out], [x], [x], ({ grad, saved: [input] }) => {
    const gradOut = dense(grad);
    const gradX = allocateLike(input);
    kernels.unaryBackward({ op, x: input, gradOut, gradX });
    drop(gradOut, grad);
    return [gradX];
  });
  return out;
}

/** x sigmoid(x). */
export function silu(x: Tensor): Tensor {
  return unary('silu', x);
}

/** 1 / (1 + e^-x). */
export function sigmoid(x: Tensor): Tensor {
  return unary('sigmoid', x);
}

/** ln(1 + e^x), linear above 20. */
export function softplus(x: Tensor): Tensor {
  return unary('softplus', x);
}

/** max(x, 0); gradient 0 at 0. */
export function relu(x: Tensor): Tensor {
  return unary('relu', x);
}

/** x Phi(x), or its tanh approximation. */
export function gelu(x: Tensor, approximate: 'none' | 'tanh' = 'none'): Tensor {
  return unary(approximate === 'tanh' ? 'geluTanh' : 'gelu', x);
}
