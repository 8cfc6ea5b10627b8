/**
 * Layer norm over the last axis (Ba, Kiros & Hinton 2016, arXiv:1607.06450), biased variance:
 *   out = (x - mean) rsqrt(var + eps) weight + bias.  x, out (..., D); weight, bias (D).
 */
import type { LayerNormInputs } from '@statespace/ssd-core';
import { record } from '../autograd/graph.js';
import type { Tensor } from '../tensor.js';
import { checkPeers } from './arguments.js';
import { allocateLike, dense, denseMaybe, drop } from './layout.js';

/** x normalised along its last axis; `eps` 1e-5. @throws {ShapeError} */
export function layerNorm(
  x: Tensor,
  weight?: Tensor,
  bias?: Tensor,
  { eps = 1e-5 }: { readonly eps?: number } = {},
): Tensor {
  const op = 'layerNorm';
  checkPeers(op, 'x', x, { weight, bias });
  const inputsOf = (a: Tensor, w: Tensor | undefined, b: Tensor | undefined): LayerNormInputs => ({
    x: a,
    weight: w,
    bias: b,
    eps,
  });
  const { kernels } = x;
  const out = allocateLike(x);
  const rows = dense(x);
  const scale = denseMaybe(weight);
  const shift = denseMaybe(bias);
  kernels.layerNorm({ ...inputsOf(rows, scale, shift), out });
  record(op, [out], [x, weight, bias], [rows, scale, shift], ({ grad, needs, saved: [a, w, b] }) => {
    const gradOut = dense(grad);
    const gradX = needs[0] ? allocateLike(a) : undefined;
    const gradWeight = needs[1] && w !== undefined ? allocateLike(w) : undefined;
    const gradBias = needs[2] && b !== undefined ? allocateLike(b) : undefined;
    kernels.layerNormBackward({ ...inputsOf(a, w, b), gradOut, gradX, gradWeight, gradBias });
    return [gradX, gradWeight, gradBias];
  });
  drop(rows, x);
  drop(scale, weight);
  drop(shift, bias);
  return out;
}
