/**
 * Dropout: out = x keep / (1 - p), keep_i = [uniform_i >= p]; gradX = gradOut keep / (1 - p) with the same draw.
 * x, out (...).
 */
import { ArgumentError } from '@statespace/ssd-core';
import { record } from '../autograd/graph.js';
import type { Generator } from '../random/generator.js';
import type { Tensor } from '../tensor.js';
import { checkFloat } from './arguments.js';
import { allocateLike, dense, drop } from './layout.js';

export interface DropoutOptions {
  /** Advanced by one number per element, also when nothing is dropped, so that runs stay comparable. */
  readonly generator: Generator;
  /** Default true; false returns x. */
  readonly training?: boolean;
}

/** x with elements set to 0 with probability `p`, the others scaled by 1 / (1 - p). */
export function dropout(x: Tensor, p: number, { generator, training = true }: DropoutOptions): Tensor {
  checkFloat('dropout', 'x', x);
  if (!(p >= 0 && p < 1)) {
    throw new ArgumentError({ op: 'dropout', argument: 'p', wanted: 'a number in [0, 1)', got: String(p) });
  }
  if (!training) return x;
  const { kernels } = x;
  const position = generator.reserve(x.size);
  const input = dense(x);
  const out = allocateLike(x);
  kernels.dropout({ x: input, p, generator: position, out });
  drop(input, x);
  record('dropout', [out], [x], [], ({ grad }) => {
    const gradX = allocateLike(grad);
    kernels.dropout({ x: dense(grad), p, generator: position, out: gradX });
    return [gradX];
  });
  return out;
}
