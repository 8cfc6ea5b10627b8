/** Oracles of the state-space ops, and the checks of their arguments that every backend shares. */
export {
  type CausalConv1dResult,
  causalConv1dRef,
} from './causal-conv1d/causal-conv1d.js';
export * from './causal-conv1d/causal-conv1d-backward.js';
export * from './causal-conv1d/shapes.js';
export * from './causal-conv1d-update/causal-conv1d-update.js';
export * from './causal-conv1d-update/shapes.js';
export {
  type DiagonalSsdResult,
  diagonalSsdMaskedAttentionRef,
  diagonalSsdRecurrentRef,
  diagonalSsdRef,
} from './diagonal-ssd/diagonal-ssd.js';
export {
  type DiagonalSsdGradients,
  diagonalSsdBackwardRef,
} from './diagonal-ssd/diagonal-ssd-backward.js';
export * from './diagonal-ssd/shapes.js';
export type { Float64Tensor } from './float64-tensor.js';
export { mirroredInTime } from './reverse.js';
export { type SelectiveScanResult, selectiveScanRef } from './selective-scan/selective-scan.js';
export {
  type SelectiveScanGradients,
  selectiveScanBackwardRef,
} from './selective-scan/selective-scan-backward.js';
export * from './selective-scan/shapes.js';
export * from './selective-state-update/selective-state-update.js';
export * from './selective-state-update/shapes.js';
export { readSequences, type SequenceSpan, type Sequences, type StepRange } from './sequences.js';
export {
  checkSsdChunkScanGradients,
  checkSsdChunkScanOutputs,
  checkSsdChunkScanShapes,
  checkSsdChunkScanUpstream,
  defaultChunkSize,
  type SsdChunkScanDims,
  type SsdChunkScanUpstream,
} from './ssd-chunk-scan/shapes.js';
export {
  type SsdChunkScanResult,
  ssdChunkScanRef,
  ssdMaskedAttentionRef,
  ssdRecurrentRef,
} from './ssd-chunk-scan/ssd-chunk-scan.js';
export {
  type SsdChunkScanGradients,
  ssdChunkScanBackwardRef,
} from './ssd-chunk-scan/ssd-chunk-scan-backward.js';
export { readStateIndices } from './state-indices.js';
export type { StepLimit } from './step-size.js';
