/** A public call between its checks and its result: one plan serves the synchronous and the asynchronous form. */
import type { SsmKernels, TensorLike } from '@statespace/ssd-core';
import type { Backend, BackendChoice } from './backend.js';
import type { HostTensor, Output, SequenceLayout } from './layout.js';

/** Options of every sequence op. */
export interface CallOptions {
  /** Default `'auto'`: the fastest backend that can do the call. */
  readonly backend?: BackendChoice;
  /** Order of the axes of sequence tensors, inputs and outputs alike. Default `'bld'`. */
  readonly layout?: SequenceLayout;
}

/** Options of the asynchronous forms. */
export interface AsyncOptions {
  /**
   * Stops a call that has not begun; a running kernel is waited for. Either way the promise is rejected with
   * `AbortedError`, and outputs that were passed in have unspecified contents.
   */
  readonly signal?: AbortSignal;
}

/** Outputs by the name of their kernel argument. */
export type Outputs<Name extends string> = Readonly<Partial<Record<Name, Output>>>;

/** The tensors to hand to the kernel. */
export function targetsOf<Name extends string>(outputs: Outputs<Name>): Partial<Record<Name, TensorLike>> {
  return mapOutputs(outputs, (output) => output.target);
}

/** Runs `op` now. */
export function runPlan<Op extends keyof SsmKernels, Name extends string>(
  backend: Backend,
  op: Op,
  args: Parameters<SsmKernels[Op]>[0],
  outputs: Outputs<Name>,
): Partial<Record<Name, HostTensor>> {
  const kernel = backend.kernels[op] as (args: Parameters<SsmKernels[Op]>[0]) => void;
  kernel(args);
  return mapOutputs(outputs, (output) => output.result);
}

/** As `runPlan`, off the calling thread. */
export async function runPlanAsync<Op extends keyof SsmKernels, Name extends string>(
  backend: Backend,
  op: Op,
  args: Parameters<SsmKernels[Op]>[0],
  outputs: Outputs<Name>,
  signal: AbortSignal | undefined,
): Promise<Partial<Record<Name, HostTensor>>> {
  const kernel = backend.async[op] as (
    args: Parameters<SsmKernels[Op]>[0],
    signal?: AbortSignal,
  ) => Promise<void>;
  await kernel(args, signal);
  return mapOutputs(outputs, (output) => output.result);
}

function mapOutputs<Name extends string, T>(
  outputs: Outputs<Name>,
  map: (output: Output) => T,
): Partial<Record<Name, T>> {
  const result: Partial<Record<Name, T>> = {};
  for (const name of Object.keys(outputs) as Name[]) {
    const output = outputs[name];
    if (output !== undefined) result[name] = map(output);
  }
  return result;
}
