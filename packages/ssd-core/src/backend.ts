/**
 * The interface between tensors and hardware: one method per op. `reference` (this package), `cpu` and `cuda`
 * (native-scan) implement all of it, so that a model trains on any of them.
 */
import type { DType, TypedArray } from './dtype.js';
import type * as dense from './kernels/dense-args.js';
import type * as ssm from './kernels/ssm-args.js';
import type { DeviceBuffer } from './tensor-like.js';

export type BackendName = 'reference' | 'cpu' | 'cuda';

/** Memory of one backend. */
export interface Memory {
  /** Uninitialised memory (filled with NaN under test), `length` array elements. */
  allocate(dtype: DType, length: number): DeviceBuffer;
  /** Copies host numbers into a buffer, from element `offset` (default 0). Same array type on both sides. */
  upload(target: DeviceBuffer, source: TypedArray, offset?: number): void;
  /** A host copy of `length` elements from `offset`; waits for pending work. */
  download(source: DeviceBuffer, offset?: number, length?: number): TypedArray;
  /** Waits until everything asked for so far is done. */
  synchronize(): void;
  /** Gives cached free memory back to the system. */
  trim(): void;
}

/** State-space kernels, forward and backward. */
export interface SsmKernels {
  selectiveScan(args: ssm.SelectiveScanArgs): void;
  selectiveScanBackward(args: ssm.SelectiveScanBackwardArgs): void;
  causalConv1d(args: ssm.CausalConv1dArgs): void;
  causalConv1dBackward(args: ssm.CausalConv1dBackwardArgs): void;
  ssdChunkScan(args: ssm.SsdChunkScanArgs): void;
  ssdChunkScanBackward(args: ssm.SsdChunkScanBackwardArgs): void;
  diagonalSsd(args: ssm.DiagonalSsdArgs): void;
  diagonalSsdBackward(args: ssm.DiagonalSsdBackwardArgs): void;
  selectiveStateUpdate(args: ssm.SelectiveStateUpdateArgs): void;
  causalConv1dUpdate(args: ssm.CausalConv1dUpdateArgs): void;
}

/** Dense kernels: what tensors, layers and optimisers are made of. */
export interface DenseKernels {
  unary(args: dense.UnaryArgs): void;
  unaryBackward(args: dense.UnaryBackwardArgs): void;
  binary(args: dense.BinaryArgs): void;
  affine(args: dense.AffineArgs): void;
  copy(args: dense.CopyArgs): void;
  accumulate(args: dense.AccumulateArgs): void;
  fill(args: dense.FillArgs): void;
  reduce(args: dense.ReduceArgs): void;
  argmax(args: dense.ArgmaxArgs): void;
  gemm(args: dense.GemmArgs): void;
  rmsNorm(args: dense.RmsNormArgs): void;
  rmsNormBackward(args: dense.RmsNormBackwardArgs): void;
  layerNorm(args: dense.LayerNormArgs): void;
  layerNormBackward(args: dense.LayerNormBackwardArgs): void;
  softmax(args: dense.SoftmaxArgs): void;
  softmaxBackward(args: dense.SoftmaxBackwardArgs): void;
  crossEntropy(args: dense.CrossEntropyArgs): void;
  crossEntropyBackward(args: dense.CrossEntropyBackwardArgs): void;
  linearCrossEntropy(args: dense.LinearCrossEntropyArgs): void;
  embedding(args: dense.EmbeddingArgs): void;
  embeddingBackward(args: dense.EmbeddingBackwardArgs): void;
  random(args: dense.RandomArgs): void;
  dropout(args: dense.DropoutArgs): void;
  gradNorm(args: dense.GradNormArgs): void;
  adamw(args: dense.AdamWArgs): void;
}

/** A backend: its memory and its kernels. Methods throw before anything is written when arguments do not fit. */
export interface Kernels extends Memory, SsmKernels, DenseKernels {
  readonly name: BackendName;
  /** `'reference'`, `'cpu'` or `'cuda:0'`. */
  readonly device: string;
  /** Formats that kernels compute in. */
  readonly computes: readonly DType[];
}
