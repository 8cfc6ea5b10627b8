/** Selective scan, causal conv1d and chunked SSD for typed arrays and native buffers. */
export type {
  CausalConv1dInputs,
  CausalConv1dUpdateInputs,
  DeviceBuffer,
  DiagonalSsdInputs,
  DType,
  Kernels,
  SelectiveScanInputs,
  SelectiveStateUpdateInputs,
  SsdChunkScanInputs,
  TensorLike,
  TypedArray,
} from '@statespace/ssd-core';
export {
  AbortedError,
  ArgumentError,
  BackendUnavailableError,
  DisposedError,
  DTypeError,
  OutOfMemoryError,
  ShapeError,
  StatespaceError,
} from '@statespace/ssd-core';
export { type BackendChoice, type BackendInfo, getBackendInfo, getKernels } from './backend.js';
export * from './causal-conv1d.js';
export { createDeviceBuffer } from './device-buffer.js';
export * from './diagonal-ssd.js';
export type { HostTensor, SequenceLayout } from './layout.js';
export type { LoadAttempt } from './loader.js';
export * from './native-interface.js';
export type { AsyncOptions, CallOptions } from './planned-call.js';
export * from './selective-scan.js';
export * from './ssd-chunk-scan.js';
export * from './state-update.js';
export { getNumThreads, setNumThreads } from './threads.js';
