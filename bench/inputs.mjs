/** Inputs of benchmarks: 64-byte aligned native memory with repeatable numbers, freed together. */
import { createDeviceBuffer } from '@statespace/native-scan';

const blockLength = 1 << 16;

/** Uniform numbers in [0, 1) of a linear congruential generator: the same on every machine. */
function uniformBlock(seed) {
  let state = seed >>> 0;
  return Float32Array.from({ length: blockLength }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  });
}

/** Makes tensors, and gives their memory back at once. */
export class Inputs {
  #buffers = [];
  #seed = 1;

  /** A tensor with numbers in [low, high); a block of 65,536 repeats. */
  uniform(shape, low, high) {
    const tensor = this.#untouched(shape, 'f32');
    const block = uniformBlock(this.#seed++).map((value) => low + (high - low) * value);
    const { data } = tensor.data;
    for (let i = 0; i < data.length; i += block.length) {
      data.set(data.length - i < block.length ? block.subarray(0, data.length - i) : block, i);
    }
    return tensor;
  }

  /** A tensor whose pages have been touched. */
  empty(shape, dtype = 'f32') {
    const tensor = this.#untouched(shape, dtype);
    tensor.data.data.fill(0);
    return tensor;
  }

  #untouched(shape, dtype) {
    const buffer = createDeviceBuffer(
      dtype,
      shape.reduce((a, b) => a * b, 1),
    );
    this.#buffers.push(buffer);
    return { data: buffer, shape, dtype };
  }

  dispose() {
    for (const buffer of this.#buffers) buffer.dispose();
    this.#buffers = [];
  }
}

/** One half in each format of 16 bits. */
const halfBits = { bf16: 0x3f00, f16: 0x3800 };

/** A tensor of this shape and format, full of halves. */
export function filledLike(inputs, { shape, dtype }) {
  const tensor = inputs.empty(shape, dtype);
  tensor.data.data.fill(halfBits[dtype] ?? 0.5);
  return tensor;
}

/** An output for the gradient of every tensor of numbers among `args`, of its format and under its name. */
export function gradientsOf(inputs, args) {
  const tensors = Object.entries(args).filter(
    ([, value]) => value?.shape !== undefined && !(value.data instanceof Int32Array),
  );
  return Object.fromEntries(
    tensors.map(([name, { shape, dtype }]) => [
      `grad${name[0].toUpperCase()}${name.slice(1)}`,
      inputs.empty(shape, dtype),
    ]),
  );
}

/** Inputs of one layer's selective scan, with every part that Mamba uses. */
export function scanInputs(inputs, { batch, seqLen, dim, dState }) {
  const rows = [batch, seqLen];
  return {
    u: inputs.uniform([...rows, dim], -1, 1),
    delta: inputs.uniform([...rows, dim], -4, 0),
    A: inputs.uniform([dim, dState], -16, -0.1),
    B: inputs.uniform([...rows, dState], -1, 1),
    C: inputs.uniform([...rows, dState], -1, 1),
    D: inputs.uniform([dim], -1, 1),
    z: inputs.uniform([...rows, dim], -1, 1),
    deltaBias: inputs.uniform([dim], -1, 0),
    deltaSoftplus: true,
  };
}

/** Inputs of one layer's convolution. */
export function convInputs(inputs, { batch, seqLen, dim, width }) {
  return {
    x: inputs.uniform([batch, seqLen, dim], -1, 1),
    weight: inputs.uniform([dim, width], -1, 1),
    bias: inputs.uniform([dim], -1, 1),
    activation: 'silu',
  };
}

/** Inputs of one layer's SSD. */
export function ssdInputs(inputs, { batch, seqLen, heads, headDim, dState, groups }) {
  const rows = [batch, seqLen];
  return {
    x: inputs.uniform([...rows, heads, headDim], -1, 1),
    dt: inputs.uniform([...rows, heads], -4, 0),
    A: inputs.uniform([heads], -1, -0.1),
    B: inputs.uniform([...rows, groups, dState], -1, 1),
    C: inputs.uniform([...rows, groups, dState], -1, 1),
    D: inputs.uniform([heads], -1, 1),
    dtBias: inputs.uniform([heads], 0, 0.2),
    dtSoftplus: true,
  };
}
