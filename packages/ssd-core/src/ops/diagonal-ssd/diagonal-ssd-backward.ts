/**
 * Backward pass of the diagonal SSD scan in float64, in chunked form. `chunked-backward.ts` holds the mathematics of
 * one head; what surrounds it is that of `ssdChunkScan`.
 */
import type { DiagonalSsdInputs } from '../../kernels/ssm-args.js';
import { runHeadsBackward, type SsdChunkScanGradients } from '../ssd-chunk-scan/heads-backward.js';
import { chunkedDiagonalHead } from './chunked.js';
import { chunkedDiagonalHeadBackward } from './chunked-backward.js';
import { cutDiagonalHead } from './diagonal-head.js';
import { checkDiagonalSsdShapes, checkDiagonalSsdUpstream, type DiagonalSsdUpstream } from './shapes.js';

/** Gradients of all inputs, each in the shape of its input, gradA (H, N); those of absent inputs are undefined. */
export type DiagonalSsdGradients = SsdChunkScanGradients;

const rules = {
  cut: cutDiagonalHead,
  forward: chunkedDiagonalHead,
  backward: chunkedDiagonalHeadBackward,
};

/**
 * Gradients of sum(gradOut out) + sum(gradFinalStates finalStates) in float64, the oracle of every
 * `diagonalSsdBackward` kernel.
 *
 * gradOut (B, L, H, P); gradFinalStates (B, H, P, N) or packed (S, H, P, N), zero when absent; the rest as in
 * `diagonalSsdRef`.
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming the argument.
 */
export function diagonalSsdBackwardRef(
  inputs: DiagonalSsdInputs & DiagonalSsdUpstream,
): DiagonalSsdGradients {
  const op = 'diagonalSsdBackward';
  const dims = checkDiagonalSsdShapes(op, inputs);
  checkDiagonalSsdUpstream(op, dims, inputs);
  return runHeadsBackward(op, inputs, dims, rules);
}
