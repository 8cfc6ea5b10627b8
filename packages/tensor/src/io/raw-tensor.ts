/** Between tensors and what files hold. */
import { bytesPerElement, FormatError, type TensorLike, type TypedArray } from '@statespace/ssd-core';
import { fileFormats, type RawTensor } from '@statespace/ssd-core/files';
import { empty, type TensorOptions } from '../create.js';
import { toHost } from '../host.js';
import { decodeHalves, encodeNumbers } from '../numbers.js';
import { Tensor } from '../tensor.js';

/** `value` with its numbers on the host, row-major; a device's memory cannot be written to a file. */
export function onHost(value: TensorLike | RawTensor): TensorLike | RawTensor {
  if (!(value instanceof Tensor)) return value;
  return { data: toHost(value), shape: value.shape, dtype: value.dtype };
}

/**
 * A tensor of what a file holds: I64, I16 and I8 become i32, BOOL becomes u8, and everything is converted to
 * `options.dtype` where that is given.
 * @throws {FormatError} for an I64 that i32 cannot hold.
 */
export function toTensor(op: string, name: string, raw: RawTensor, options: TensorOptions = {}): Tensor {
  const own = fileFormats[raw.dtype].tensor;
  const wanted = options.dtype ?? own;
  const sameBits = wanted === own && raw.data.BYTES_PER_ELEMENT === bytesPerElement(wanted);
  const array = sameBits ? (raw.data as TypedArray) : encodeNumbers(op, numbersOf(op, name, raw), wanted);
  const out = empty(raw.shape, { ...options, dtype: wanted });
  if (out.size > 0) out.kernels.upload(out.data, array);
  return out;
}

function numbersOf(op: string, name: string, raw: RawTensor): readonly number[] | TypedArray {
  const { data, dtype } = raw;
  if (data instanceof BigInt64Array) {
    return Array.from(data, (value, i) => {
      if (value >= -2147483648n && value <= 2147483647n) return Number(value);
      throw new FormatError({
        op,
        argument: `${name}[${i}]`,
        wanted: 'a 64-bit integer that fits into 32 bits',
        got: String(value),
        hint: 'Read it as a raw array instead',
      });
    });
  }
  if (dtype === 'F16' || dtype === 'BF16')
    return decodeHalves(data as Uint16Array, dtype === 'F16' ? 'f16' : 'bf16');
  if (data instanceof Int16Array || data instanceof Int8Array) return Int32Array.from(data);
  return data;
}
