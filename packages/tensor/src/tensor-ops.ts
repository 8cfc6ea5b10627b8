/** Ops as methods of a tensor; what each does, and its gradient, stands in the file of its op. */
import type { DType } from '@statespace/ssd-core';
import { argmax } from './ops/argmax.js';
import { add, div, maximum, minimum, mul, sub } from './ops/arithmetic.js';
import { cast } from './ops/cast.js';
import { clone, contiguous } from './ops/copy.js';
import { detach } from './ops/detach.js';
import { expand } from './ops/expand.js';
import { matmul } from './ops/matmul.js';
import { max } from './ops/max.js';
import { permute, transpose } from './ops/permute.js';
import { flatten, reshape, squeeze, unsqueeze } from './ops/reshape.js';
import { select, slice } from './ops/slice.js';
import { logSoftmax, softmax } from './ops/softmax.js';
import { mean, sum } from './ops/sum.js';
import { toDevice } from './ops/to-device.js';
import { unary } from './ops/unary.js';
import type { Shape } from './shape.js';
import type { Tensor } from './tensor.js';

/** Base of `Tensor`. */
export abstract class TensorOps {
  /** this + other, broadcasting. */
  add(this: Tensor, other: Tensor | number): Tensor {
    return add(this, other);
  }
  /** this - other, broadcasting. */
  sub(this: Tensor, other: Tensor | number): Tensor {
    return sub(this, other);
  }
  /** this * other, element by element, broadcasting. */
  mul(this: Tensor, other: Tensor | number): Tensor {
    return mul(this, other);
  }
  /** this / other, broadcasting. */
  div(this: Tensor, other: Tensor | number): Tensor {
    return div(this, other);
  }
  /** The larger of the two; equal ones share the gradient. */
  maximum(this: Tensor, other: Tensor | number): Tensor {
    return maximum(this, other);
  }
  /** The smaller of the two; equal ones share the gradient. */
  minimum(this: Tensor, other: Tensor | number): Tensor {
    return minimum(this, other);
  }
  /** -x. */
  neg(this: Tensor): Tensor {
    return unary('neg', this);
  }
  /** |x|; gradient 0 at 0. */
  abs(this: Tensor): Tensor {
    return unary('abs', this);
  }
  /** x^2. */
  square(this: Tensor): Tensor {
    return unary('square', this);
  }
  /** sqrt(x). */
  sqrt(this: Tensor): Tensor {
    return unary('sqrt', this);
  }
  /** 1 / sqrt(x). */
  rsqrt(this: Tensor): Tensor {
    return unary('rsqrt', this);
  }
  /** 1 / x. */
  reciprocal(this: Tensor): Tensor {
    return unary('reciprocal', this);
  }
  /** e^x. */
  exp(this: Tensor): Tensor {
    return unary('exp', this);
  }
  /** e^x - 1, exact near 0. */
  expm1(this: Tensor): Tensor {
    return unary('expm1', this);
  }
  /** ln(x). */
  log(this: Tensor): Tensor {
    return unary('log', this);
  }
  /** ln(1 + x), exact near 0. */
  log1p(this: Tensor): Tensor {
    return unary('log1p', this);
  }
  /** sin(x), x in radians. */
  sin(this: Tensor): Tensor {
    return unary('sin', this);
  }
  /** cos(x), x in radians. */
  cos(this: Tensor): Tensor {
    return unary('cos', this);
  }
  /** tanh(x). */
  tanh(this: Tensor): Tensor {
    return unary('tanh', this);
  }
  /** 1 / (1 + e^-x). */
  sigmoid(this: Tensor): Tensor {
    return unary('sigmoid', this);
  }
  /** ln(sigmoid(x)). */
  logSigmoid(this: Tensor): Tensor {
    return unary('logSigmoid', this);
  }
  /** x sigmoid(x). */
  silu(this: Tensor): Tensor {
    return unary('silu', this);
  }
  /** ln(1 + e^x), linear above 20. */
  softplus(this: Tensor): Tensor {
    return unary('softplus', this);
  }
  /** max(x, 0); gradient 0 at 0. */
  relu(this: Tensor): Tensor {
    return unary('relu', this);
  }
  /** x Phi(x); `'tanh'` is the approximation 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))). */
  gelu(this: Tensor, approximate: 'none' | 'tanh' = 'none'): Tensor {
    return unary(approximate === 'tanh' ? 'geluTanh' : 'gelu', this);
  }
  /** Sum over `axes`, or over all elements. */
  sum(this: Tensor, axes?: number | Shape, keepDims = false): Tensor {
    return sum(this, axes, keepDims);
  }
  /** Mean over `axes`, or over all elements. */
  mean(this: Tensor, axes?: number | Shape, keepDims = false): Tensor {
    return mean(this, axes, keepDims);
  }
  /** Largest element along `axes`, or of all; equal ones share the gradient. */
  max(this: Tensor, axes?: number | Shape, keepDims = false): Tensor {
    return max(this, axes, keepDims);
  }
  /** Index of the largest element along the last axis, i32; ties go to the lower index. */
  argmax(this: Tensor): Tensor {
    return argmax(this);
  }
  /** e^x / sum(e^x) along the last axis. */
  softmax(this: Tensor): Tensor {
    return softmax(this);
  }
  /** ln(softmax(x)) along the last axis. */
  logSoftmax(this: Tensor): Tensor {
    return logSoftmax(this);
  }
  /** Matrix product over the last two axes; leading axes broadcast. */
  matmul(this: Tensor, other: Tensor): Tensor {
    return matmul(this, other);
  }
  /** The same elements as `shape`, one -1 allowed; a view where strides allow it. */
  reshape(this: Tensor, shape: Shape): Tensor {
    return reshape(this, shape);
  }
  /** Axes `start` to `end`, both included, as one. */
  flatten(this: Tensor, start = 0, end = -1): Tensor {
    return flatten(this, start, end);
  }
  /** View with two axes exchanged. */
  transpose(this: Tensor, a: number, b: number): Tensor {
    return transpose(this, a, b);
  }
  /** View with the axes in another order. */
  permute(this: Tensor, axes: Shape): Tensor {
    return permute(this, axes);
  }
  /** View of [start, end) along `axis`; negative bounds count from the back. */
  slice(this: Tensor, axis: number, start: number, end?: number): Tensor {
    return slice(this, axis, start, end);
  }
  /** View at one index of `axis`, without that axis. */
  select(this: Tensor, axis: number, index: number): Tensor {
    return select(this, axis, index);
  }
  /** View without an axis of size 1. */
  squeeze(this: Tensor, axis: number): Tensor {
    return squeeze(this, axis);
  }
  /** View with an axis of size 1 put in before `axis`. */
  unsqueeze(this: Tensor, axis: number): Tensor {
    return unsqueeze(this, axis);
  }
  /** View in which axes of size 1, and new leading axes, repeat to `shape`. */
  expand(this: Tensor, shape: Shape): Tensor {
    return expand(this, shape);
  }
  /** This tensor if it is row-major, otherwise a row-major copy. */
  contiguous(this: Tensor): Tensor {
    return contiguous(this);
  }
  /** A row-major copy. */
  clone(this: Tensor): Tensor {
    return clone(this);
  }
  /** The same memory without the graph. */
  detach(this: Tensor): Tensor {
    return detach(this);
  }
  /** The same numbers in another format, rounded once; this tensor if it has that format. */
  cast(this: Tensor, dtype: DType): Tensor {
    return cast(this, dtype);
  }
  /** A copy on another device; this tensor if it is there. */
  to(this: Tensor, device: string): Tensor {
    return toDevice(this, device);
  }
}
