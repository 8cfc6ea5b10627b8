/** Random inputs of the state-space ops, exact in float32, with and without each optional argument. */
import type {
  CausalConv1dInputs,
  DiagonalSsdInputs,
  SelectiveScanInputs,
  SelectiveStateUpdateArgs,
  SsdChunkScanInputs,
} from '../kernels/ssm-args.js';
import type { HostTensor } from './arrays.js';
import { toIndexTensor } from './golden.js';
import { type RandomSource, randomSource } from './random.js';

/** The inputs' tensors as float64 host tensors, so that tests may change entries. */
export type HostInputs<Inputs> = {
  [K in keyof Inputs]: K extends 'cuSeqlens' | `${string}Indices` | 'cacheSeqlens'
    ? Inputs[K]
    : HostReplaced<Inputs[K]>;
};
type HostReplaced<T> = T extends { readonly data: unknown } ? HostTensor : T;

/** Sizes of a random selective scan; groups of 0 mean a constant B or C. */
export interface RandomScanOptions {
  readonly batch?: number;
  readonly seqLen: number;
  readonly dInner?: number;
  readonly dState?: number;
  readonly groupsB?: number;
  readonly groupsC?: number;
  readonly complex?: boolean;
  /** Without D, z, deltaBias, softplus and initial state. */
  readonly bare?: boolean;
  /** Boundaries of a packed row. */
  readonly cuSeqlens?: readonly number[];
  readonly seed?: number;
}

/** Inputs of a stable scan: negative A, steps of order 0.1 to 1. */
export function randomScanInputs(options: RandomScanOptions): HostInputs<SelectiveScanInputs> {
  const { batch = 2, seqLen, dInner = 4, dState = 3, groupsB = 1, groupsC = 1, seed = 1 } = options;
  const { complex = false, bare = false, cuSeqlens } = options;
  const source = randomSource(seed);
  const pair = complex ? [2] : [];
  const tagged = (tensor: HostTensor): HostTensor => (complex ? { ...tensor, dtype: 'c128' } : tensor);
  const projection = (groups: number) => {
    if (groups === 0) return [dInner, dState, ...pair];
    return groups === 1 ? [batch, seqLen, dState, ...pair] : [batch, seqLen, groups, dState, ...pair];
  };
  const rows = cuSeqlens === undefined ? batch : cuSeqlens.length - 1;
  const sequence = [batch, seqLen, dInner];
  const required = {
    u: source.normal(sequence),
    delta: bare ? source.uniform(sequence, 0.05, 0.8) : source.normal(sequence),
    A: tagged(complex ? complexRates(source, dInner, dState) : source.uniform([dInner, dState], -2, -0.25)),
    B: tagged(source.normal(projection(groupsB))),
    C: tagged(source.normal(projection(groupsC))),
    ...(cuSeqlens && { cuSeqlens: toIndexTensor(cuSeqlens) }),
  };
  if (bare) return required;
  return {
    ...required,
    D: source.normal([dInner]),
    z: source.normal(sequence),
    deltaBias: source.normal([dInner], 0.5),
    deltaSoftplus: true,
    initialState: tagged(source.normal([rows, dInner, dState, ...pair])),
  };
}

/** Complex rates: real parts in [-1, -0.25), imaginary ones in [-3, 3). */
function complexRates(source: RandomSource, dInner: number, dState: number): HostTensor {
  const rates = source.uniform([dInner, dState, 2], -3, 3);
  const decays = source.uniform([dInner, dState], -1, -0.25);
  for (let i = 0; i < decays.data.length; i++) rates.data[2 * i] = decays.data[i] as number;
  return rates;
}

/** Sizes of a random convolution. */
export interface RandomConvOptions {
  readonly batch?: number;
  readonly seqLen: number;
  readonly dim?: number;
  readonly width?: number;
  readonly activation?: 'none' | 'silu';
  /** Without bias and initial states. */
  readonly bare?: boolean;
  readonly cuSeqlens?: readonly number[];
  readonly seed?: number;
}

/** Inputs of a causal convolution. */
export function randomConvInputs(options: RandomConvOptions): HostInputs<CausalConv1dInputs> {
  const { batch = 2, seqLen, dim = 3, width = 4, activation = 'silu', bare = false, seed = 1 } = options;
  const { cuSeqlens } = options;
  const source = randomSource(seed);
  const rows = cuSeqlens === undefined ? batch : cuSeqlens.length - 1;
  const required = {
    x: source.normal([batch, seqLen, dim]),
    weight: source.normal([dim, width], 0.5),
    activation,
    ...(cuSeqlens && { cuSeqlens: toIndexTensor(cuSeqlens) }),
  };
  if (bare) return required;
  return {
    ...required,
    bias: source.normal([dim]),
    initialStates: source.normal([rows, dim, width - 1]),
  };
}

/** Sizes of a random SSD scan. */
export interface RandomSsdOptions {
  readonly batch?: number;
  readonly seqLen: number;
  readonly nHeads?: number;
  readonly headDim?: number;
  readonly dState?: number;
  readonly nGroups?: number;
  readonly chunkSize?: number;
  /** D of shape (H, P) instead of (H). */
  readonly skipPerChannel?: boolean;
  readonly dtLimit?: readonly [number, number];
  /** Without D, z, dtBias, softplus and initial states. */
  readonly bare?: boolean;
  readonly cuSeqlens?: readonly number[];
  readonly seed?: number;
}

/** Inputs of a stable SSD scan: negative A, steps of order 0.1 to 1. */
export function randomSsdInputs(options: RandomSsdOptions): HostInputs<SsdChunkScanInputs> {
  const { batch = 2, seqLen, nHeads = 4, headDim = 3, dState = 5, nGroups = 2, seed = 1 } = options;
  const { bare = false, skipPerChannel = false, cuSeqlens, chunkSize, dtLimit } = options;
  const source = randomSource(seed);
  const rows = cuSeqlens === undefined ? batch : cuSeqlens.length - 1;
  const sequence = [batch, seqLen, nHeads, headDim];
  const steps = [batch, seqLen, nHeads];
  const required = {
    x: source.normal(sequence),
    dt: bare ? source.uniform(steps, 0.05, 0.8) : source.normal(steps),
    A: source.uniform([nHeads], -2, -0.25),
    B: source.normal([batch, seqLen, nGroups, dState]),
    C: source.normal([batch, seqLen, nGroups, dState]),
    ...(chunkSize !== undefined && { chunkSize }),
    ...(dtLimit && { dtLimit }),
    ...(cuSeqlens && { cuSeqlens: toIndexTensor(cuSeqlens) }),
  };
  if (bare) return required;
  return {
    ...required,
    D: source.normal(skipPerChannel ? [nHeads, headDim] : [nHeads]),
    z: source.normal(sequence),
    dtBias: source.normal([nHeads], 0.5),
    dtSoftplus: true,
    initialStates: source.normal([rows, nHeads, headDim, dState]),
  };
}

/** Inputs of a stable diagonal SSD scan: as `randomSsdInputs`, with a rate for every state of a head. */
export function randomDiagonalSsdInputs(options: RandomSsdOptions): HostInputs<DiagonalSsdInputs> {
  const { nHeads = 4, dState = 5, seed = 1 } = options;
  const rates = randomSource(seed + 1000).uniform([nHeads, dState], -2, -0.25);
  return { ...randomSsdInputs(options), A: rates };
}

/** Sizes of a random decode step. `tied`: A, dt, D, dtBias have one number per head. */
export interface RandomUpdateOptions {
  readonly batch?: number;
  /** Mamba-2 form with this many heads of `headDim`; Mamba-1 form with `dInner` channels where absent. */
  readonly nHeads?: number;
  readonly headDim?: number;
  readonly dInner?: number;
  readonly dState?: number;
  readonly nGroups?: number;
  readonly tied?: boolean;
  readonly seed?: number;
}

/** Inputs of one decode step, with every optional argument but the indices. */
export function randomUpdateInputs(
  options: RandomUpdateOptions,
): HostInputs<Omit<SelectiveStateUpdateArgs, 'out'>> {
  const { batch = 3, nHeads, headDim = 2, dInner = 6, dState = 4, nGroups = 2, seed = 1 } = options;
  const source = randomSource(seed);
  const channels = nHeads === undefined ? [dInner] : [nHeads, headDim];
  const shared = nHeads !== undefined && options.tied === true ? [nHeads] : channels;
  const full = shared === channels ? [...channels, dState] : shared;
  return {
    state: source.normal([batch, ...channels, dState]),
    x: source.normal([batch, ...channels]),
    dt: source.normal([batch, ...shared]),
    A: source.uniform(full, -2, -0.25),
    B: source.normal([batch, nGroups, dState]),
    C: source.normal([batch, nGroups, dState]),
    D: source.normal(shared),
    z: source.normal([batch, ...channels]),
    dtBias: source.normal(shared, 0.5),
    dtSoftplus: true,
  };
}
