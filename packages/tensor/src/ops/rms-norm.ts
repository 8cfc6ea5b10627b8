/**
 * Root-mean-square norm with an optional gate (Zhang & Sennrich 2019, arXiv:1910.07467; gated as in Mamba-2):
 *   out = y rsqrt(mean_group(y^2) + eps) weight,  y = x SiLU(gate), or the gate after the norm.
 * x, gate, out (..., D); weight (D). Groups of `groupSize` channels are normalised apart.
 */
import { expectShape, type RmsNormInputs } from '@statespace/ssd-core';
import { record } from '../autograd/graph.js';
import type { Tensor } from '../tensor.js';
import { checkPeers } from './arguments.js';
import { allocateLike, dense, drop, unitLast, unitLastMaybe } from './layout.js';

export interface RmsNormOptions {
  /** Added to the mean square. Default 1e-5. */
  readonly eps?: number;
  /** (..., D), as x. */
  readonly gate?: Tensor;
  /** Default false: the gate comes before the norm. */
  readonly gateAfterNorm?: boolean;
  /** Default D. */
  readonly groupSize?: number;
}

/** x normalised along its last axis. @throws {ShapeError} */
export function rmsNorm(x: Tensor, weight: Tensor, options: RmsNormOptions = {}): Tensor {
  const op = 'rmsNorm';
  const { eps = 1e-5, gate, gateAfterNorm, groupSize } = options;
  checkPeers(op, 'x', x, { weight, gate });
  if (gate !== undefined) expectShape(op, 'gate', gate, x.shape);
  const settings = { eps, gateAfterNorm, groupSize };
  const inputsOf = (a: Tensor, w: Tensor, g: Tensor | undefined): RmsNormInputs => {
    return { x: a, weight: w, gate: g, ...settings };
  };
  const { kernels } = x;
  const out = allocateLike(x);
  const rows = unitLast(x);
  const scale = dense(weight);
  const gates = unitLastMaybe(gate);
  kernels.rmsNorm({ ...inputsOf(rows, scale, gates), out });
  record(op, [out], [x, weight, gate], [rows, scale, gates], ({ grad, needs, saved: [a, w, g] }) => {
    const gradOut = dense(grad);
    const gradX = needs[0] ? allocateLike(a) : undefined;
    const gradWeight = needs[1] ? allocateLike(w) : undefined;
    const gradGate = needs[2] && g !== undefined ? allocateLike(g) : undefined;
    kernels.rmsNormBackward({ ...inputsOf(a, w, g), gradOut, gradX, gradWeight, gradGate });
    return [gradX, gradWeight, gradGate];
  });
  drop(rows, x);
  drop(scale, weight);
  drop(gates, gate);
  return out;
}
