/**
 * Golden cases of the state-space ops in our layouts: the files hold (B, D, L), and complex variable B, C with
 * a last axis of 2L; here they are (B, L, D) with a last axis of 2.
 */
import type {
  CausalConv1dInputs,
  CausalConv1dUpdateArgs,
  SelectiveScanBackwardArgs,
  SelectiveScanInputs,
  SelectiveStateUpdateArgs,
  SsdChunkScanBackwardArgs,
  SsdChunkScanInputs,
} from '../kernels/ssm-args.js';
import { type HostTensor, permuted, reshaped } from './arrays.js';
import { type GoldenCase, goldenTensor, toHostTensor, toIndexTensor } from './golden.js';

/** Inputs, upstream gradients and expected results under our names (`lastState`, `gradDeltaBias`, ...). */
export interface SsmCase<Inputs, Upstream> {
  readonly name: string;
  readonly inputs: Inputs;
  readonly upstream: Upstream;
  readonly expected: Readonly<Record<string, HostTensor>>;
}

type Layout = (tensor: HostTensor, name: string) => HostTensor;

const camelCase = (name: string) => name.replace(/_([a-zA-Z])/g, (_, letter: string) => letter.toUpperCase());

/** All arrays of one side of a case, renamed and brought into our layout. */
function translated(arrays: GoldenCase['inputs'], layout: Layout): Record<string, HostTensor> {
  const result: Record<string, HostTensor> = {};
  for (const [name, array] of Object.entries(arrays)) {
    result[camelCase(name)] = layout(toHostTensor(array), name.replace(/^grad_/, ''));
  }
  return result;
}

function cuSeqlensOf({ params }: GoldenCase) {
  const bounds = params.cu_seqlens;
  return Array.isArray(bounds) ? { cuSeqlens: toIndexTensor(bounds as number[]) } : {};
}

/** A case of `selective-scan`. */
export function selectiveScanCase(
  golden: GoldenCase,
): SsmCase<SelectiveScanInputs, Pick<SelectiveScanBackwardArgs, 'gradOut' | 'gradLastState'>> {
  const { params } = golden;
  const complex = params.complex === true;
  const layout: Layout = (tensor, name) => {
    if (name === 'u' || name === 'delta' || name === 'z' || name === 'out')
      return permuted(tensor, [0, 2, 1]);
    if (name !== 'B' && name !== 'C') return tensor;
    if (params[`variable_${name}`] !== true) return tensor;
    const grouped = tensor.shape.length === 4;
    if (!complex) return permuted(tensor, grouped ? [0, 3, 1, 2] : [0, 2, 1]);
    const steps = (tensor.shape.at(-1) as number) / 2;
    const pairs = reshaped(tensor, [...tensor.shape.slice(0, -1), steps, 2], 'c128');
    return permuted(pairs, grouped ? [0, 3, 1, 2, 4] : [0, 2, 1, 3]);
  };
  const { gradOut, gradLastState, ...arrays } = translated(golden.inputs, layout);
  return {
    name: golden.name,
    inputs: {
      ...(arrays as unknown as SelectiveScanInputs),
      deltaSoftplus: params.delta_softplus === true,
      ...cuSeqlensOf(golden),
    },
    upstream: { gradOut: gradOut as HostTensor, ...(gradLastState && { gradLastState }) },
    expected: translated(golden.outputs, layout),
  };
}

/** A `forward` or `packed` case of `causal-conv1d`. */
export function causalConv1dCase(
  golden: GoldenCase,
): SsmCase<CausalConv1dInputs, { gradOut: HostTensor; gradFinalStates?: HostTensor }> {
  const layout: Layout = (tensor, name) =>
    name === 'x' || name === 'out' ? permuted(tensor, [0, 2, 1]) : tensor;
  const { gradOut, gradFinalStates, ...arrays } = translated(golden.inputs, layout);
  return {
    name: golden.name,
    inputs: {
      ...(arrays as unknown as CausalConv1dInputs),
      activation: golden.params.activation === 'silu' ? 'silu' : 'none',
      ...cuSeqlensOf(golden),
    },
    upstream: { gradOut: gradOut as HostTensor, ...(gradFinalStates && { gradFinalStates }) },
    expected: translated(golden.outputs, layout),
  };
}

/** An `update` case of `causal-conv1d`; several steps are (B, L, D). */
export function causalConv1dUpdateCase(
  golden: GoldenCase,
): SsmCase<Omit<CausalConv1dUpdateArgs, 'out'>, undefined> {
  const layout: Layout = (tensor, name) =>
    (name === 'x' || name === 'out') && tensor.shape.length === 3 ? permuted(tensor, [0, 2, 1]) : tensor;
  const { cache_seqlens: lengths, ...rest } = golden.inputs;
  return {
    name: golden.name,
    inputs: {
      ...(translated(rest, layout) as unknown as Omit<CausalConv1dUpdateArgs, 'out'>),
      activation: golden.params.activation === 'silu' ? 'silu' : 'none',
      ...(lengths && { cacheSeqlens: toIndexTensor(lengths) }),
    },
    upstream: undefined,
    expected: translated(golden.outputs, layout),
  };
}

/** A case of `ssd` other than `core`, without a chunk size. */
export function ssdCase(
  golden: GoldenCase,
): SsmCase<SsdChunkScanInputs, Pick<SsdChunkScanBackwardArgs, 'gradOut' | 'gradFinalStates'>> {
  const keep: Layout = (tensor) => tensor;
  const { gradOut, gradFinalStates, ...arrays } = translated(golden.inputs, keep);
  const limit = golden.params.dt_limit;
  return {
    name: golden.name,
    inputs: {
      ...(arrays as unknown as SsdChunkScanInputs),
      dtSoftplus: golden.params.dt_softplus === true,
      ...(Array.isArray(limit) && { dtLimit: limit as unknown as [number, number] }),
      ...cuSeqlensOf(golden),
    },
    upstream: { gradOut: gradOut as HostTensor, ...(gradFinalStates && { gradFinalStates }) },
    expected: translated(golden.outputs, keep),
  };
}

/** A case of `selective-state-update` as its steps, to be run one after another on the state of the first. */
export function selectiveStateUpdateSteps(golden: GoldenCase): {
  readonly state: HostTensor;
  readonly steps: readonly Omit<SelectiveStateUpdateArgs, 'state' | 'out'>[];
  readonly expectedOut: readonly HostTensor[];
  readonly expectedState: HostTensor;
} {
  const count = golden.params.steps as number;
  const perStep = new Set(['x', 'dt', 'B', 'C', 'z', 'out']);
  const at = (tensor: HostTensor, name: string, step: number): HostTensor => {
    if (count === 1 || !perStep.has(name)) return tensor;
    const size = tensor.data.length / count;
    return { data: tensor.data.slice(step * size, (step + 1) * size), shape: tensor.shape.slice(1) };
  };
  const { state, ...rest } = golden.inputs;
  if (state === undefined) throw new RangeError(`case ${golden.name} has no state`);
  const stepIndices = Array.from({ length: count }, (_, step) => step);
  return {
    state: toHostTensor(state),
    steps: stepIndices.map((step) => ({
      ...(translated(rest, (tensor, name) => at(tensor, name, step)) as unknown as Omit<
        SelectiveStateUpdateArgs,
        'state' | 'out'
      >),
      dtSoftplus: golden.params.dt_softplus === true,
    })),
    expectedOut: stepIndices.map((step) => at(goldenTensor(golden.outputs, 'out'), 'out', step)),
    expectedState: goldenTensor(golden.outputs, 'state'),
  };
}
