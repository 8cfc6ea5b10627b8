/**
 * Backward pass of the SSD scan in float64, in chunked form. `chunked-backward.ts` holds the mathematics of one head,
 * `heads-backward.ts` what surrounds it.
 */
import type { SsdChunkScanInputs } from '../../kernels/ssm-args.js';
import { chunkedHead } from './chunked.js';
import { chunkedHeadBackward } from './chunked-backward.js';
import { runHeadsBackward, type SsdChunkScanGradients } from './heads-backward.js';
import { checkSsdChunkScanShapes, checkSsdChunkScanUpstream, type SsdChunkScanUpstream } from './shapes.js';
import { cutHead } from './ssd-data.js';

export type { SsdChunkScanGradients } from './heads-backward.js';

const rules = { cut: cutHead, forward: chunkedHead, backward: chunkedHeadBackward };

/**
 * Gradients of sum(gradOut out) + sum(gradFinalStates finalStates) in float64, the oracle of every
 * `ssdChunkScanBackward` kernel.
 *
 * gradOut (B, L, H, P); gradFinalStates (B, H, P, N) or packed (S, H, P, N), zero when absent; the rest as in
 * `ssdChunkScanRef`.
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming the argument.
 */
export function ssdChunkScanBackwardRef(
  inputs: SsdChunkScanInputs & SsdChunkScanUpstream,
): SsdChunkScanGradients {
  const op = 'ssdChunkScanBackward';
  const dims = checkSsdChunkScanShapes(op, inputs);
  checkSsdChunkScanUpstream(op, dims, inputs);
  return runHeadsBackward(op, inputs, dims, rules);
}
