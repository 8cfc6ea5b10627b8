/**
 * `@statespace/ssd-core/structure`: semiseparable matrices, their ranks, and the duality of state space models and
 * masked attention.
 */
export {
  bidiagonalExample,
  bidiagonalSsm,
  identityPlusCorner,
  identityPlusCornerSsm,
} from './counter-examples.js';
export {
  type DenseSsm,
  denseKernel,
  diagonalPlusLowRank,
  householderSsmKernel,
  type NormalSource,
} from './dense-ssm.js';
export { constantDiagonalSsm, type DiagonalSsm, runDiagonalSsm } from './diagonal-ssm.js';
export { type Decay, generatorRank, vandermonde } from './generator-rank.js';
export { causalProduct, type Matrix, matMul, matVec, subMatrix } from './matrix.js';
export { modularRank } from './modular-rank.js';
export { type DiagonalBlock, diagonalBlocks, newColumns } from './new-columns.js';
export { kernelRank, type RankResult, rank } from './rank.js';
export { diagonalKernel, headKernels, oneSemiseparable } from './semiseparable.js';
export { semiseparableOrder, semiseparableOrderAgainst } from './semiseparable-order.js';
export { type AttentionFactors, singleMaskDual } from './single-mask-dual.js';
export { singularValues } from './singular-values.js';
export { type OperationCount, type StageFlops, stageFlops } from './stage-flops.js';
export { completeLowRank, type LowRankCompletion, type WidthDual, widthDual } from './width-dual.js';
