/** Host numbers in the array of another format, rounded once. */
import {
  ArgumentError,
  allocateHostArray,
  type DType,
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

/** Raw bits of f16 or bf16 as numbers. Checkpoints hold hundreds of millions: no call per number. */
export function decodeHalves(bits: Uint16Array, dtype: 'f16' | 'bf16'): Float32Array {
  const out = new Float32Array(bits.length);
  if (dtype === 'bf16') {
    // The upper half of a float32.
    const words = new Uint32Array(out.buffer);
    for (let i = 0; i < bits.length; i++) words[i] = (bits[i] as number) << 16;
  } else {
    halfTable ??= Float32Array.from({ length: 65536 }, (_, pattern) => decodeFloat16(pattern));
    for (let i = 0; i < bits.length; i++) out[i] = halfTable[bits[i] as number] as number;
  }
  return out;
}

/** Every f16 as f32, made when first needed. */
let halfTable: Float32Array | undefined;

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
