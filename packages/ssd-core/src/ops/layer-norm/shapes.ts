/** Shapes of LayerNorm. */
import type { LayerNormArgs, LayerNormBackwardArgs, LayerNormInputs } from '../../kernels/dense-args.js';
import { expectInput, expectOutput, lastAxis } from '../../tensor-checks.js';
import { elementCount } from '../../tensor-like.js';
import { expectEps } from '../rms-norm/shapes.js';

/** x as (rows, dim). */
export interface LayerNormDims {
  readonly rows: number;
  readonly dim: number;
}

/** @throws {StatespaceError} naming `op` and the argument that does not fit. */
export function checkLayerNorm(op: string, args: LayerNormArgs): LayerNormDims {
  const dims = checkLayerNormInputs(op, args);
  expectOutput(op, 'out', args.out, { shape: args.x.shape });
  return dims;
}

/** @throws {StatespaceError} naming `op` and the argument that does not fit. */
export function checkLayerNormBackward(op: string, args: LayerNormBackwardArgs): LayerNormDims {
  const dims = checkLayerNormInputs(op, args);
  const { shape } = args.x;
  const perChannel = { shape: [dims.dim], letters: '(D)' };
  expectInput(op, 'gradOut', args.gradOut, { shape });
  if (args.gradX !== undefined) expectOutput(op, 'gradX', args.gradX, { shape });
  if (args.gradWeight !== undefined) expectOutput(op, 'gradWeight', args.gradWeight, perChannel);
  if (args.gradBias !== undefined) expectOutput(op, 'gradBias', args.gradBias, perChannel);
  return dims;
}

/** @throws {StatespaceError} naming `op` and the argument that does not fit. */
export function checkLayerNormInputs(op: string, inputs: LayerNormInputs): LayerNormDims {
  const { x, weight, bias, eps } = inputs;
  expectInput(op, 'x', x);
  const dim = lastAxis(op, 'x', x);
  const perChannel = { shape: [dim], letters: '(D)' };
  if (weight !== undefined) expectInput(op, 'weight', weight, perChannel);
  if (bias !== undefined) expectInput(op, 'bias', bias, perChannel);
  expectEps(op, eps);
  return { rows: elementCount(x.shape.slice(0, -1)), dim };
}
