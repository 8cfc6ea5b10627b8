/** The SSD scans between their checks and their results: backend, layout and outputs, whatever the shape of A. */
import {
  type SsdChunkScanDims,
  type SsdChunkScanInputs,
  type TensorLike,
  tensorDType,
} from '@statespace/ssd-core';
import { type Backend, backendFor } from './backend.js';
import { gradientOutputs, wantedGradients } from './gradient-outputs.js';
import { asLengthSecond, checkLayout, makeOutput, type SequenceLayout } from './layout.js';
import { callKeys, readOptions, sequenceKeys } from './options.js';
import { type AsyncOptions, type CallOptions, type Outputs, targetsOf } from './planned-call.js';
import type { SsdChunkScanBackwardOptions, SsdChunkScanOptions } from './ssd-chunk-scan.js';

/** Checks the inputs of an SSD scan; knows the shape of A. */
type CheckSsdShapes = (op: string, inputs: SsdChunkScanInputs) => SsdChunkScanDims;

type Names = 'out' | 'finalStates';

const gradientNames = [
  'gradX',
  'gradDt',
  'gradA',
  'gradB',
  'gradC',
  'gradD',
  'gradZ',
  'gradDtBias',
  'gradInitialStates',
] as const;

const sequenceGradients: readonly string[] = ['gradX', 'gradDt', 'gradB', 'gradC', 'gradZ'];

export type SsdGradientName = (typeof gradientNames)[number];

const inputKeys = [
  'x',
  'dt',
  'A',
  'B',
  'C',
  'chunkSize',
  'D',
  'z',
  'dtBias',
  'dtSoftplus',
  'dtLimit',
  'initialStates',
  ...sequenceKeys,
] as const;
const forwardKeys = [...inputKeys, ...callKeys, 'returnFinalStates', 'out', 'finalStates'];
const backwardKeys = [...inputKeys, ...callKeys, 'gradOut', 'gradFinalStates', 'gradients', ...gradientNames];

/**
 * Checks and outputs of a forward call.
 * @throws {ShapeError | DTypeError | ArgumentError | DisposedError | BackendUnavailableError}
 */
export function planSsdForward(op: string, check: CheckSsdShapes, given: SsdChunkScanOptions & AsyncOptions) {
  const options = readOptions(op, given, forwardKeys);
  const layout = checkLayout(op, options.layout);
  const inputs = inLengthSecond(options, layout);
  const dims = check(op, inputs);
  const backend = chooseBackend(op, inputs, options);
  const dtype = tensorDType(inputs.x);
  const wantsStates = options.returnFinalStates === true || options.finalStates !== undefined;
  const outputs: Outputs<Names> = {
    out: makeOutput({
      op,
      argument: 'out',
      shape: inputs.x.shape,
      dtype,
      given: options.out,
      layout,
    }),
    ...(wantsStates && {
      finalStates: makeOutput({
        op,
        argument: 'finalStates',
        shape: [dims.stateRows, dims.nHeads, dims.headDim, dims.dState],
        dtype,
        given: options.finalStates,
        layout: 'bld',
      }),
    }),
  };
  const targets = targetsOf<Names>(outputs);
  const args = { ...inputs, ...targets, out: targets.out as TensorLike };
  return { backend, outputs, args, signal: options.signal };
}

/** As `planSsdForward`, for the backward call. @throws {ArgumentError} also for the gradient of an absent input. */
export function planSsdBackward(
  op: string,
  check: CheckSsdShapes,
  given: SsdChunkScanBackwardOptions & AsyncOptions,
) {
  const options = readOptions(op, given, backwardKeys);
  const layout = checkLayout(op, options.layout);
  const inputs = { ...inLengthSecond(options, layout), gradOut: asLengthSecond(options.gradOut, layout) };
  check(op, inputs);
  const backend = chooseBackend(op, inputs, options, [inputs.gradOut, inputs.gradFinalStates]);
  const sources = {
    gradX: inputs.x,
    gradDt: inputs.dt,
    gradA: inputs.A,
    gradB: inputs.B,
    gradC: inputs.C,
    gradD: inputs.D,
    gradZ: inputs.z,
    gradDtBias: inputs.dtBias,
    gradInitialStates: inputs.initialStates,
  };
  const outputs = gradientOutputs({
    op,
    sources,
    wanted: wantedGradients(op, gradientNames, sources, options),
    given: options,
    layout: (name) => (sequenceGradients.includes(name) ? layout : 'bld'),
  });
  return { backend, outputs, args: { ...inputs, ...targetsOf(outputs) }, signal: options.signal };
}

function inLengthSecond<Inputs extends SsdChunkScanInputs>(inputs: Inputs, layout: SequenceLayout): Inputs {
  if (layout === 'bld') return inputs;
  return {
    ...inputs,
    x: asLengthSecond(inputs.x, layout),
    dt: asLengthSecond(inputs.dt, layout),
    B: asLengthSecond(inputs.B, layout),
    C: asLengthSecond(inputs.C, layout),
    ...(inputs.z !== undefined && { z: asLengthSecond(inputs.z, layout) }),
  };
}

function chooseBackend(
  op: string,
  { x, dt, A, B, C, D, z, dtBias, initialStates }: SsdChunkScanInputs,
  options: CallOptions,
  more: readonly (TensorLike | undefined)[] = [],
): Backend {
  return backendFor(op, options.backend, [x, dt, A, B, C, D, z, dtBias, initialStates, ...more]);
}
