/** Shapes and formats of the diagonal SSD scan: those of the SSD scan but for A, which is (H, N). */
import type { DiagonalSsdInputs } from '../../kernels/ssm-args.js';
import {
  checkSsdChunkScanGradients,
  checkSsdChunkScanOutputs,
  checkSsdChunkScanUpstream,
  checkSsdShapes,
  type SsdChunkScanDims,
  type SsdChunkScanUpstream,
} from '../ssd-chunk-scan/shapes.js';

/** Sizes of one diagonal SSD scan. */
export type DiagonalSsdDims = SsdChunkScanDims;

/** Inputs of the backward pass besides those of the forward pass. */
export type DiagonalSsdUpstream = SsdChunkScanUpstream;

/**
 * Checks the inputs of a diagonal SSD scan and gives its sizes. The entries of index inputs are checked where they
 * are read (`readSequences`).
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError} naming `op` and the argument.
 */
export function checkDiagonalSsdShapes(op: string, inputs: DiagonalSsdInputs): DiagonalSsdDims {
  return checkSsdShapes(op, inputs, (nHeads, dState) => ({ shape: [nHeads, dState], letters: '(H, N)' }));
}

export {
  checkSsdChunkScanGradients as checkDiagonalSsdGradients,
  checkSsdChunkScanOutputs as checkDiagonalSsdOutputs,
  checkSsdChunkScanUpstream as checkDiagonalSsdUpstream,
};
