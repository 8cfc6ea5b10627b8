/**
 * Softmax over the last axis, and its logarithm, shifted by the row's maximum. x, out (..., N).
 * softmax: gradX = out (gradOut - <gradOut, out>);  log: gradX = gradOut - e^out sum(gradOut).
 */
import { record } from '../autograd/graph.js';
import type { Tensor } from '../tensor.js';
import { checkFloat } from './arguments.js';
import { allocateLike, dense, drop } from './layout.js';

/** e^x / sum(e^x) along the last axis. */
export function softmax(x: Tensor): Tensor {
  return normalized('softmax', x, false);
}

/** x - ln(sum(e^x)) along the last axis. */
export function logSoftmax(x: Tensor): Tensor {
  return normalized('logSoftmax', x, true);
}

function normalized(op: string, x: Tensor, log: boolean): Tensor {
  checkFloat(op, 'x', x);
  const { kernels } = x;
  const rows = dense(x);
  const out = allocateLike(x);
  kernels.softmax({ x: rows, log, out });
  drop(rows, x);
  record(op, [out], [x], [out], ({ grad, saved: [result] }) => {
    const gradX = allocateLike(result);
    kernels.softmaxBackward({ out: result, log, gradOut: dense(grad), gradX });
    return [gradX];
  });
  return out;
}
