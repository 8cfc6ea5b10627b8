/** Host numbers in the array of another format, rounded once. */
import {
  ArgumentError,
  allocateHostArray,
  type DType,
  decodeBfloat16,
  decodeFloat16,
  encodeBfloat16,
  encodeFloat16,
  type TypedArray,
} from '@statespace/ssd-core';

const ranges: Partial<Record<DType, readonly [number, number]>> = {
  i32: [-2147483648, 2147483647],
  u8: [0, 255],
};

/**
 * `numbers` as the array of `dtype`; the very array where it is one already. A `Uint16Array` is taken as raw bits
 * of `dtype`.
 * @throws {ArgumentError} for a number that an integer format cannot hold.
 */
export function encodeNumbers(op: string, numbers: readonly number[] | TypedArray, dtype: DType): TypedArray {
  const out = allocateHostArray(dtype, numbers.length);
  if (ArrayBuffer.isView(numbers) && numbers.constructor === out.constructor) return numbers;
  const range = ranges[dtype];
  if (range !== undefined) checkIntegers(op, numbers, dtype, range);
  if (dtype === 'f16' || dtype === 'bf16') {
    const encode = dtype === 'f16' ? encodeFloat16 : encodeBfloat16;
    for (let i = 0; i < out.length; i++) out[i] = encode(numbers[i] as number);
  } else {
    out.set(numbers);
  }
  return out;
}

/** Raw bits of f16 or bf16 as numbers. */
export function decodeHalves(bits: Uint16Array, dtype: 'f16' | 'bf16'): Float32Array {
  const decode = dtype === 'f16' ? decodeFloat16 : decodeBfloat16;
  return Float32Array.from(bits, decode);
}

function checkIntegers(
  op: string,
  numbers: readonly number[] | TypedArray,
  dtype: DType,
  [low, high]: readonly [number, number],
): void {
  for (let i = 0; i < numbers.length; i++) {
    const value = numbers[i] as number;
    if (Number.isInteger(value) && value >= low && value <= high) continue;
    throw new ArgumentError({
      op,
      argument: `data[${i}]`,
      wanted: `a whole number in [${low}, ${high}] for ${dtype}`,
      got: String(value),
    });
  }
}
