/** Sequence ops that walk from the last step to the first: on tensors seen backwards in time, results turned back. */
import { contiguousStrides, type TensorLike } from '../tensor-like.js';
import type { Float64Tensor } from './float64-tensor.js';

/** `tensor` (B, L, ...) with its steps in reverse order: a view. */
export function mirroredInTime(tensor: TensorLike): TensorLike {
  const [, seqLen] = tensor.shape as [number, number];
  if (seqLen === 0) return tensor;
  const strides = [...(tensor.strides ?? contiguousStrides(tensor.shape))];
  const step = strides[1] as number;
  strides[1] = -step;
  return { ...tensor, strides, offset: (tensor.offset ?? 0) + (seqLen - 1) * step };
}

/** The rows of a contiguous (B, L, ...) result in reverse order, in place. */
function turnedBack(tensor: Float64Tensor): Float64Tensor {
  const [batch, seqLen, ...inner] = tensor.shape as [number, number, ...number[]];
  const width = inner.reduce((product, size) => product * size, 1);
  for (let b = 0; b < batch; b++) {
    for (let early = 0, late = seqLen - 1; early < late; early++, late--) {
      const first = (b * seqLen + early) * width;
      const second = (b * seqLen + late) * width;
      const kept = tensor.data.slice(first, first + width);
      tensor.data.copyWithin(first, second, second + width);
      tensor.data.set(kept, second);
    }
  }
  return tensor;
}

/**
 * Runs `run` on `inputs`; where `inputs.reverse` is set, with the tensors `sequences` mirrored in time before and the
 * results `outputs` after.
 */
export function inTime<Inputs extends { readonly reverse?: boolean }, Result>(
  inputs: Inputs,
  sequences: readonly (keyof Inputs)[],
  outputs: readonly (keyof Result)[],
  run: (inputs: Inputs) => Result,
): Result {
  if (inputs.reverse !== true) return run(inputs);
  const mirrored = { ...inputs };
  for (const name of sequences) {
    const tensor = inputs[name] as TensorLike | undefined;
    if (tensor !== undefined) mirrored[name] = mirroredInTime(tensor) as Inputs[keyof Inputs];
  }
  const result = run(mirrored);
  for (const name of outputs) {
    const tensor = result[name] as Float64Tensor | undefined;
    if (tensor !== undefined) turnedBack(tensor);
  }
  return result;
}
