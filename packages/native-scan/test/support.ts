/** Common ground of the tests of the native backend. */
import { contiguousStrides, type Kernels, type TensorLike } from '@statespace/ssd-core';
import { type HostTensor, maxRelativeError } from '@statespace/ssd-core/testing';
import { describe } from 'vitest';
import { getKernels } from '../src/index.js';
import { loadAddon } from '../src/loader.js';

// Before any kernel is made: memory that starts as NaN shows entries that nobody wrote.
process.env.STATESPACE_POISON = '1';

const { addon, attempts } = loadAddon();

if (addon === undefined && process.env.STATESPACE_REQUIRE_NATIVE === '1') {
  throw new Error(`STATESPACE_REQUIRE_NATIVE=1, but the addon did not load: ${JSON.stringify(attempts)}`);
}

/** `describe`, skipped visibly where the addon could not be built. */
export const describeNative = describe.skipIf(addon === undefined);

/** The native kernels; call inside tests of `describeNative`. */
export const cpu = (): Kernels => getKernels('cpu');

/** A tensor whose numbers a test may look at. */
export interface Float32Tensor extends TensorLike {
  readonly data: Float32Array;
}

/** Every float64 tensor of `inputs` as float32; numbers of ssd-core's random source are exact in both. */
export function inFloat32<T extends object>(inputs: T): T {
  const entries = Object.entries(inputs).map(([key, value]) => [
    key,
    isFloat64(value) ? float32(value) : value,
  ]);
  return Object.fromEntries(entries) as T;
}

function isFloat64(value: unknown): value is HostTensor {
  return (value as { data?: unknown } | undefined)?.data instanceof Float64Array;
}

function float32({ data, shape }: HostTensor): TensorLike {
  return { data: Float32Array.from(data), shape };
}

/** A float32 output full of NaN. */
export function nanOutput(shape: readonly number[]): Float32Tensor {
  return { data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(Number.NaN), shape };
}

/** Largest error of `results` (by name) against float64 `wanted`, by the rule of the golden files. */
export function worstError(
  results: Readonly<Record<string, { readonly data: ArrayLike<number> } | undefined>>,
  wanted: Readonly<Record<string, { readonly data: ArrayLike<number> } | undefined>>,
): { readonly name: string; readonly error: number } {
  let worst = { name: 'nothing', error: 0 };
  for (const [name, result] of Object.entries(results)) {
    if (result === undefined) continue;
    const expected = wanted[name];
    const error = expected === undefined ? Number.POSITIVE_INFINITY : maxRelativeError(result, expected);
    if (error >= worst.error) worst = { name, error };
  }
  return worst;
}

/** `tensor` as a slice of a wider one: the same entries, other strides, NaN around them. */
export function insideWider(tensor: TensorLike, pad = 3): TensorLike {
  const { shape } = tensor;
  const last = shape.length - 1;
  const width = (shape[last] as number) + pad;
  const wide = [...shape.slice(0, last), width];
  const strides = contiguousStrides(wide);
  const data = new Float32Array(wide.reduce((a, b) => a * b, 1)).fill(Number.NaN);
  const source = tensor.data as Float32Array;
  const rows = shape[last] === 0 ? 0 : source.length / (shape[last] as number);
  for (let row = 0; row < rows; row++) {
    const from = row * (shape[last] as number);
    data.set(source.subarray(from, from + (shape[last] as number)), row * width + 1);
  }
  return { data, shape, strides, offset: 1 };
}

/** A float32 tensor of the numbers of `tensor`. */
export function narrow(tensor: HostTensor): Float32Tensor {
  return { data: Float32Array.from(tensor.data), shape: tensor.shape };
}

/** The tensors of `inputs` through `view`, everything else as it is. */
export function viewed<T extends object>(inputs: T, view: (tensor: TensorLike) => TensorLike): T {
  const entries = Object.entries(inputs).map(([key, value]) => {
    const tensor = (value as { data?: unknown } | undefined)?.data instanceof Float32Array;
    return [key, tensor ? view(value as TensorLike) : value];
  });
  return Object.fromEntries(entries) as T;
}
