/**
 * State-space kernels of the `reference` backend: the float64 oracles, read from and rounded once into tensors of
 * any format and strides. All arguments are checked before anything is written.
 */
import type { SsmKernels } from '../backend.js';
import type * as ssm from '../kernels/ssm-args.js';
import { causalConv1dRef } from '../ops/causal-conv1d/causal-conv1d.js';
import { causalConv1dBackwardRef } from '../ops/causal-conv1d/causal-conv1d-backward.js';
import {
  checkCausalConv1dGradients,
  checkCausalConv1dOutputs,
  checkCausalConv1dShapes,
} from '../ops/causal-conv1d/shapes.js';
import { causalConv1dUpdateRef } from '../ops/causal-conv1d-update/causal-conv1d-update.js';
import {
  checkCausalConv1dUpdateOutputs,
  checkCausalConv1dUpdateShapes,
} from '../ops/causal-conv1d-update/shapes.js';
import { diagonalSsdRef } from '../ops/diagonal-ssd/diagonal-ssd.js';
import { diagonalSsdBackwardRef } from '../ops/diagonal-ssd/diagonal-ssd-backward.js';
import {
  checkDiagonalSsdGradients,
  checkDiagonalSsdOutputs,
  checkDiagonalSsdShapes,
} from '../ops/diagonal-ssd/shapes.js';
import type { Float64Tensor } from '../ops/float64-tensor.js';
import { selectiveScanRef } from '../ops/selective-scan/selective-scan.js';
import { selectiveScanBackwardRef } from '../ops/selective-scan/selective-scan-backward.js';
import {
  checkSelectiveScanGradients,
  checkSelectiveScanOutputs,
  checkSelectiveScanShapes,
} from '../ops/selective-scan/shapes.js';
import { selectiveStateUpdateRef } from '../ops/selective-state-update/selective-state-update.js';
import {
  checkSelectiveStateUpdateOutputs,
  checkSelectiveStateUpdateShapes,
} from '../ops/selective-state-update/shapes.js';
import {
  checkSsdChunkScanGradients,
  checkSsdChunkScanOutputs,
  checkSsdChunkScanShapes,
} from '../ops/ssd-chunk-scan/shapes.js';
import { ssdChunkScanRef } from '../ops/ssd-chunk-scan/ssd-chunk-scan.js';
import { ssdChunkScanBackwardRef } from '../ops/ssd-chunk-scan/ssd-chunk-scan-backward.js';
import type { TensorLike } from '../tensor-like.js';
import { storeFloat64 } from './views.js';

/** Stores each result whose target was given: `targets` and `results` share their keys. */
function storeResults<Key extends string>(
  op: string,
  targets: { readonly [K in NoInfer<Key>]?: TensorLike | undefined },
  results: { readonly [K in Key]?: Float64Tensor | undefined },
): void {
  for (const key of Object.keys(results) as Key[]) {
    const target = targets[key];
    const result = results[key];
    if (target !== undefined && result !== undefined) storeFloat64(op, key, target, result.data);
  }
}

/** The state-space kernels of the `reference` backend. */
export const referenceSsmKernels: SsmKernels = {
  selectiveScan(args: ssm.SelectiveScanArgs): void {
    const op = 'selectiveScan';
    checkSelectiveScanOutputs(op, checkSelectiveScanShapes(op, args), args);
    storeResults(op, args, selectiveScanRef(args, { withCheckpoints: args.checkpoints !== undefined }));
  },

  selectiveScanBackward(args: ssm.SelectiveScanBackwardArgs): void {
    const op = 'selectiveScanBackward';
    checkSelectiveScanGradients(op, checkSelectiveScanShapes(op, args), args);
    storeResults(op, args, selectiveScanBackwardRef(args));
  },

  causalConv1d(args: ssm.CausalConv1dArgs): void {
    const op = 'causalConv1d';
    checkCausalConv1dOutputs(op, checkCausalConv1dShapes(op, args), args);
    storeResults(op, args, causalConv1dRef(args));
  },

  causalConv1dBackward(args: ssm.CausalConv1dBackwardArgs): void {
    const op = 'causalConv1dBackward';
    checkCausalConv1dGradients(op, checkCausalConv1dShapes(op, args), args);
    storeResults(op, args, causalConv1dBackwardRef(args));
  },

  ssdChunkScan(args: ssm.SsdChunkScanArgs): void {
    const op = 'ssdChunkScan';
    checkSsdChunkScanOutputs(op, checkSsdChunkScanShapes(op, args), args);
    storeResults(op, args, ssdChunkScanRef(args));
  },

  ssdChunkScanBackward(args: ssm.SsdChunkScanBackwardArgs): void {
    const op = 'ssdChunkScanBackward';
    checkSsdChunkScanGradients(op, checkSsdChunkScanShapes(op, args), args);
    storeResults(op, args, ssdChunkScanBackwardRef(args));
  },

  diagonalSsd(args: ssm.DiagonalSsdArgs): void {
    const op = 'diagonalSsd';
    checkDiagonalSsdOutputs(op, checkDiagonalSsdShapes(op, args), args);
    storeResults(op, args, diagonalSsdRef(args));
  },

  diagonalSsdBackward(args: ssm.DiagonalSsdBackwardArgs): void {
    const op = 'diagonalSsdBackward';
    checkDiagonalSsdGradients(op, checkDiagonalSsdShapes(op, args), args);
    storeResults(op, args, diagonalSsdBackwardRef(args));
  },

  selectiveStateUpdate(args: ssm.SelectiveStateUpdateArgs): void {
    const op = 'selectiveStateUpdate';
    checkSelectiveStateUpdateShapes(op, args);
    checkSelectiveStateUpdateOutputs(op, args);
    storeResults(op, args, selectiveStateUpdateRef(args));
  },

  causalConv1dUpdate(args: ssm.CausalConv1dUpdateArgs): void {
    const op = 'causalConv1dUpdate';
    checkCausalConv1dUpdateShapes(op, args);
    checkCausalConv1dUpdateOutputs(op, args);
    storeResults(op, args, causalConv1dUpdateRef(args));
  },
};
