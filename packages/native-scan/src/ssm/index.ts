/** State-space kernels of the `cpu` backend, on the calling thread and on worker threads. */
import type {
  CausalConv1dArgs,
  CausalConv1dBackwardArgs,
  CausalConv1dUpdateArgs,
  DiagonalSsdArgs,
  DiagonalSsdBackwardArgs,
  SelectiveScanArgs,
  SelectiveScanBackwardArgs,
  SelectiveStateUpdateArgs,
  SsdChunkScanArgs,
  SsdChunkScanBackwardArgs,
  SsmKernels,
} from '@statespace/ssd-core';
import type { NativeRuntime } from '../native-call.js';
import { prepareCausalConv1d, prepareCausalConv1dBackward } from './causal-conv1d.js';
import { prepareDiagonalSsd, prepareDiagonalSsdBackward } from './diagonal-ssd.js';
import { type PreparedCall, runNow, runOnWorker } from './prepared-call.js';
import { prepareSelectiveScan, prepareSelectiveScanBackward } from './selective-scan.js';
import { prepareSsdChunkScan, prepareSsdChunkScanBackward } from './ssd-chunk-scan.js';
import { prepareCausalConv1dUpdate, prepareSelectiveStateUpdate } from './state-update.js';

/** `SsmKernels` off the calling thread. Arguments are checked, and ordinary arrays copied, before the promise is returned. */
export type AsyncSsmKernels = {
  readonly [Op in keyof SsmKernels]: (
    args: Parameters<SsmKernels[Op]>[0],
    signal?: AbortSignal,
  ) => Promise<void>;
};

type Prepare<Args> = (runtime: NativeRuntime, args: Args) => PreparedCall;

interface Preparations {
  readonly selectiveScan: Prepare<SelectiveScanArgs>;
  readonly selectiveScanBackward: Prepare<SelectiveScanBackwardArgs>;
  readonly causalConv1d: Prepare<CausalConv1dArgs>;
  readonly causalConv1dBackward: Prepare<CausalConv1dBackwardArgs>;
  readonly ssdChunkScan: Prepare<SsdChunkScanArgs>;
  readonly ssdChunkScanBackward: Prepare<SsdChunkScanBackwardArgs>;
  readonly diagonalSsd: Prepare<DiagonalSsdArgs>;
  readonly diagonalSsdBackward: Prepare<DiagonalSsdBackwardArgs>;
  readonly selectiveStateUpdate: Prepare<SelectiveStateUpdateArgs>;
  readonly causalConv1dUpdate: Prepare<CausalConv1dUpdateArgs>;
}

const prepare: Preparations = {
  selectiveScan: prepareSelectiveScan,
  selectiveScanBackward: prepareSelectiveScanBackward,
  causalConv1d: prepareCausalConv1d,
  causalConv1dBackward: prepareCausalConv1dBackward,
  ssdChunkScan: prepareSsdChunkScan,
  ssdChunkScanBackward: prepareSsdChunkScanBackward,
  diagonalSsd: prepareDiagonalSsd,
  diagonalSsdBackward: prepareDiagonalSsdBackward,
  selectiveStateUpdate: prepareSelectiveStateUpdate,
  causalConv1dUpdate: prepareCausalConv1dUpdate,
};

export function cpuSsmKernels(runtime: NativeRuntime): SsmKernels {
  const bind =
    <Args>(op: Prepare<Args>) =>
    (args: Args): void =>
      runNow(op(runtime, args));
  return {
    selectiveScan: bind(prepare.selectiveScan),
    selectiveScanBackward: bind(prepare.selectiveScanBackward),
    causalConv1d: bind(prepare.causalConv1d),
    causalConv1dBackward: bind(prepare.causalConv1dBackward),
    ssdChunkScan: bind(prepare.ssdChunkScan),
    ssdChunkScanBackward: bind(prepare.ssdChunkScanBackward),
    diagonalSsd: bind(prepare.diagonalSsd),
    diagonalSsdBackward: bind(prepare.diagonalSsdBackward),
    selectiveStateUpdate: bind(prepare.selectiveStateUpdate),
    causalConv1dUpdate: bind(prepare.causalConv1dUpdate),
  };
}

export function cpuAsyncSsmKernels(runtime: NativeRuntime): AsyncSsmKernels {
  const bind =
    <Args>(op: Prepare<Args>) =>
    async (args: Args, signal?: AbortSignal): Promise<void> =>
      runOnWorker(op(runtime, args), signal);
  return {
    selectiveScan: bind(prepare.selectiveScan),
    selectiveScanBackward: bind(prepare.selectiveScanBackward),
    causalConv1d: bind(prepare.causalConv1d),
    causalConv1dBackward: bind(prepare.causalConv1dBackward),
    ssdChunkScan: bind(prepare.ssdChunkScan),
    ssdChunkScanBackward: bind(prepare.ssdChunkScanBackward),
    diagonalSsd: bind(prepare.diagonalSsd),
    diagonalSsdBackward: bind(prepare.diagonalSsdBackward),
    selectiveStateUpdate: bind(prepare.selectiveStateUpdate),
    causalConv1dUpdate: bind(prepare.causalConv1dUpdate),
  };
}
