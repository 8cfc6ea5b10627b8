export { Adam } from './adam.js';
export { AdamW, type AdamWOptions } from './adamw.js';
export { type ClippedNorm, clipGradNorm } from './clip-grad-norm.js';
export { findNonFinite, type NonFinite } from './find-non-finite.js';
export { type NamedParameters, Optimizer, type OptimizerOptions, type StepOptions } from './optimizer.js';
export {
  type ConstantOptions,
  constantSchedule,
  type Schedule,
  type WarmupOptions,
  warmupCosine,
  warmupLinear,
} from './schedules.js';
export { SGD, type SgdOptions } from './sgd.js';
