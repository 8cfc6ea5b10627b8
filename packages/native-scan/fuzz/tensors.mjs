/** Descriptions of tensors made real: values, guards around the entries, and every kind of memory. */
import { createDeviceBuffer } from '@statespace/native-scan';
import { contiguousStrides, elementCount, encodeBfloat16, encodeFloat16 } from '@statespace/ssd-core';

/** Far from any number that these calls give. */
export const sentinel = 31337;
const guard = 9;

const arrays = {
  f32: Float32Array,
  f64: Float64Array,
  f16: Uint16Array,
  bf16: Uint16Array,
  c64: Float32Array,
  c128: Float64Array,
  i32: Int32Array,
};
const encoders = { f16: encodeFloat16, bf16: encodeBfloat16 };

/** Numbers of a small generator, the same for the same seed. */
export function numbers(seed) {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** How the entries lie: strides, offset and memory needed behind guards. */
function place(shape, form) {
  const strides = new Array(shape.length);
  let step = form === 'spread' ? 2 : 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis] + (form === 'spread' ? 1 : 0);
  }
  let offset = guard;
  if (form === 'reversed') {
    for (const [axis, n] of shape.entries()) {
      offset += Math.max(0, n - 1) * strides[axis];
      strides[axis] = -strides[axis];
    }
  }
  return { strides, offset, length: 2 * guard + Math.max(step, 1) + 8 };
}

function memoryFor(Type, length, form, dtype) {
  if (form === 'shared') return new Type(new SharedArrayBuffer(length * Type.BYTES_PER_ELEMENT));
  if (form !== 'device') return new Type(length);
  const buffer = createDeviceBuffer(dtype, length);
  return { native: buffer, array: buffer.data };
}

/** Every address of the tensor's entries, in order. */
export function addresses({ shape, strides, offset = 0 }) {
  const own = contiguousStrides(shape);
  return Array.from({ length: elementCount(shape) }, (_, i) => {
    let at = offset;
    for (const [axis, n] of shape.entries())
      at += (Math.floor(i / own[axis]) % n) * (strides === undefined ? own[axis] : strides[axis]);
    return at;
  });
}

/**
 * `{ tensor, array, entries }`: what to pass, its memory, and where its entries are. `fill` gives the numbers; everything
 * around the entries is the sentinel.
 */
export function realise(description, form, fill) {
  const { shape, kind } = description;
  const dtype = kind === 'indices' ? 'i32' : description.dtype;
  const Type = arrays[dtype];
  const fixed = form === 'plain' || kind === 'indices';
  // States that are changed in place and parameters may lie anywhere, but contiguous.
  const layout = description.inPlace && (form === 'spread' || form === 'reversed') ? 'offset' : form;
  const { strides, offset, length } = place(shape, fixed ? 'plain' : layout);
  const made = memoryFor(Type, length, layout, dtype);
  const array = made.array ?? made;
  const encode = encoders[dtype] ?? ((x) => x);
  array.fill(kind === 'indices' ? -77 : encode(sentinel));
  const tensor = { data: made.native ?? array, shape: [...shape], offset };
  if (layout === 'spread' || layout === 'reversed') tensor.strides = strides;
  if (dtype !== 'f32' && dtype !== 'f64' && dtype !== 'i32') tensor.dtype = dtype;
  const entries = addresses(tensor);
  entries.forEach((at, i) => {
    array[at] = kind === 'indices' ? description.values[i] : encode(fill(description));
  });
  return { tensor, array, entries, mark: encode(sentinel), dispose: () => made.native?.dispose() };
}
