/** Eager tensors with reverse-mode autograd, optimisers, random numbers, safetensors and npy. */
export { type GradcheckOptions, type GradcheckResult, gradcheck } from './autograd/gradcheck.js';
export { isGradEnabled, noGrad } from './autograd/mode.js';
export {
  arange,
  empty,
  full,
  ones,
  onesLike,
  type TensorData,
  type TensorOptions,
  tensor,
  zeros,
  zerosLike,
} from './create.js';
export { type BackendInfo, getBackendInfo, getNumThreads, setNumThreads } from './default-backend.js';
export { getDefaultDevice, getDeviceKernels, registerDevice, setDefaultDevice } from './device.js';
export * from './io/index.js';
export { argmax } from './ops/argmax.js';
export type { Indices } from './ops/arguments.js';
export {
  type CausalConv1dOptions,
  type CausalConv1dResult,
  causalConv1d,
} from './ops/causal-conv1d.js';
export { concat, stack } from './ops/concat.js';
export { type CrossEntropyOptions, crossEntropy } from './ops/cross-entropy.js';
export { type DiagonalSsdOptions, type DiagonalSsdResult, diagonalSsd } from './ops/diagonal-ssd.js';
export { type DropoutOptions, dropout } from './ops/dropout.js';
export { embedding } from './ops/embedding.js';
export { layerNorm } from './ops/layer-norm.js';
export { linear } from './ops/linear.js';
export {
  type LinearCrossEntropyOptions,
  type LinearCrossEntropyResult,
  linearCrossEntropy,
} from './ops/linear-cross-entropy.js';
export { matmul } from './ops/matmul.js';
export { type RmsNormOptions, rmsNorm } from './ops/rms-norm.js';
export {
  type SelectiveScanOptions,
  type SelectiveScanResult,
  selectiveScan,
} from './ops/selective-scan.js';
export { logSoftmax, softmax } from './ops/softmax.js';
export { split } from './ops/split.js';
export { type SsdChunkScanOptions, type SsdChunkScanResult, ssdChunkScan } from './ops/ssd-chunk-scan.js';
export {
  type CausalConv1dUpdateOptions,
  causalConv1dUpdate,
  type SelectiveStateUpdateOptions,
  selectiveStateUpdate,
} from './ops/state-update.js';
export { gelu, relu, sigmoid, silu, softplus } from './ops/unary.js';
export * from './optim/index.js';
export { Parameter, type ParameterOptions, parameter } from './parameter.js';
export {
  type KaimingOptions,
  kaimingUniform,
  type NormalOptions,
  type RandomOptions,
  randn,
  type UniformOptions,
  uniform,
} from './random/draw.js';
export { Generator } from './random/generator.js';
export { keep, scope } from './scope.js';
export type { Shape } from './shape.js';
export { type MemoryStats, memoryStats, resetPeakMemory } from './storage.js';
export { Tensor } from './tensor.js';
