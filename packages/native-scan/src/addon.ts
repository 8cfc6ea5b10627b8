/** The functions of the native addon, as binding/ defines them. */
import type { TypedArray } from '@statespace/ssd-core';

/** Must equal `interfaceVersion` of the binary; binding/addon.cc raises it with every change of a call. */
export const interfaceVersion = 5;

export type NativeArray = TypedArray | readonly TypedArray[] | undefined;

/** 0, or a code of binding/refusal.h. */
export type NativeKernel = (numbers: Float64Array, ...arrays: NativeArray[]) => number;

/** As `NativeKernel` on a worker thread; refusals come at once, results as a promise. */
export type AsyncNativeKernel = (
  numbers: Float64Array,
  cancel: Int32Array | undefined,
  ...arrays: NativeArray[]
) => number | Promise<number>;

declare const external: unique symbol;

/** The function table for other native addons, which `statespace_get_interface` of `statespace/node.h` takes out of it. */
export interface NativeInterface {
  readonly [external]: true;
}

type SsmOp =
  | 'selectiveScan'
  | 'selectiveScanBackward'
  | 'causalConv1d'
  | 'causalConv1dBackward'
  | 'ssdChunkScan'
  | 'ssdChunkScanBackward'
  | 'diagonalSsd'
  | 'diagonalSsdBackward'
  | 'selectiveStateUpdate'
  | 'causalConv1dUpdate';

type DenseOp =
  | 'unary'
  | 'unaryBackward'
  | 'binary'
  | 'affine'
  | 'copy'
  | 'accumulate'
  | 'fill'
  | 'reduce'
  | 'argmax'
  | 'gemm'
  | 'rmsNorm'
  | 'rmsNormBackward'
  | 'layerNorm'
  | 'layerNormBackward'
  | 'softmax'
  | 'softmaxBackward'
  | 'crossEntropy'
  | 'crossEntropyBackward'
  | 'linearCrossEntropy'
  | 'embedding'
  | 'embeddingBackward'
  | 'random'
  | 'dropout'
  | 'gradNorm'
  | 'adamw';

/** What `require` of the binary gives. */
export interface Addon
  extends Readonly<Record<SsmOp | DenseOp, NativeKernel>>,
    Readonly<Record<`${SsmOp}Async`, AsyncNativeKernel>> {
  readonly interfaceVersion: number;
  /** Uninitialised 64-byte aligned memory, or a refusal code. */
  allocate(bytes: number): ArrayBuffer | number;
  /** Detaches a buffer of `allocate` and gives its memory back; false when there was nothing to do. */
  release(buffer: ArrayBuffer): boolean;
  trimMemory(): void;
  /** Bytes in use, bytes cached, blocks in use; of the whole process. */
  memoryStats(): [number, number, number];
  setThreads(count: number): number;
  getThreads(): number;
  isa(): string;
  isas(): string[];
  forceIsa(name: string | null): number;
  /** The table of include/statespace/statespace.h as an External. */
  nativeInterface(): NativeInterface;
}
