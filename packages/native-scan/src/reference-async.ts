/** Asynchronous forms of the reference kernels: they have no thread to go to, and compute before they return. */
import { AbortedError, type SsmKernels } from '@statespace/ssd-core';
import type { AsyncSsmKernels } from './ssm/index.js';

export function referenceAsyncKernels(kernels: SsmKernels): AsyncSsmKernels {
  const bind =
    <Args>(op: keyof SsmKernels, kernel: (args: Args) => void) =>
    async (args: Args, signal?: AbortSignal): Promise<void> => {
      if (signal?.aborted) throw new AbortedError({ op, cause: signal.reason });
      kernel(args);
    };
  return {
    selectiveScan: bind('selectiveScan', kernels.selectiveScan),
    selectiveScanBackward: bind('selectiveScanBackward', kernels.selectiveScanBackward),
    causalConv1d: bind('causalConv1d', kernels.causalConv1d),
    causalConv1dBackward: bind('causalConv1dBackward', kernels.causalConv1dBackward),
    ssdChunkScan: bind('ssdChunkScan', kernels.ssdChunkScan),
    ssdChunkScanBackward: bind('ssdChunkScanBackward', kernels.ssdChunkScanBackward),
    diagonalSsd: bind('diagonalSsd', kernels.diagonalSsd),
    diagonalSsdBackward: bind('diagonalSsdBackward', kernels.diagonalSsdBackward),
    selectiveStateUpdate: bind('selectiveStateUpdate', kernels.selectiveStateUpdate),
    causalConv1dUpdate: bind('causalConv1dUpdate', kernels.causalConv1dUpdate),
  };
}
